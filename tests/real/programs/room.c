/* An lws server that answers each connection with one message, sent from where its argument says: "literal",
 * "heap" (a block from malloc), "room" (with LWS_PRE bytes in front of it). */
#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>

static const char *from;

static int answer(struct lws *wsi)
{
	unsigned char frame[LWS_PRE + 5], *block;
	int written;

	if (!strcmp(from, "literal"))
		return lws_write(wsi, (unsigned char *)"hello", 5, LWS_WRITE_TEXT);
	if (!strcmp(from, "heap")) {
		block = malloc(5);
		if (!block)
			return -1;
		memcpy(block, "hello", 5);
		written = lws_write(wsi, block, 5, LWS_WRITE_TEXT);
		free(block);
		return written;
	}
	memcpy(frame + LWS_PRE, "hello", 5);
	return lws_write(wsi, frame + LWS_PRE, 5, LWS_WRITE_TEXT);
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	switch (reason) {
	case LWS_CALLBACK_ESTABLISHED:
		lws_callback_on_writable(wsi);
		return 0;
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return answer(wsi) < 0 ? -1 : 0;
	default:
		return lws_callback_http_dummy(wsi, reason, user, in, len);
	}
}

static const struct lws_protocols protocols[] = {
	{ "plain", callback, 0, 0, 0, NULL, 0 },
	{ NULL, NULL, 0, 0, 0, NULL, 0 }
};

int main(int argc, char **argv)
{
	struct lws_context_creation_info info;
	struct lws_context *context;

	from = argc > 1 ? argv[1] : "room";
	memset(&info, 0, sizeof(info));
	info.port = 7681;
	info.protocols = protocols;
	context = lws_create_context(&info);
	if (!context)
		return 1;
	while (lws_service(context, 0) >= 0)
		;
	lws_context_destroy(context);
	return 0;
}
