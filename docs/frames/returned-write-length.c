#include <libwebsockets.h>
#include <string.h>

static unsigned char frame[LWS_PRE + 128];
static size_t size = 5;

static int callback_feed(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	switch (reason) {
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		lws_callback_on_writable(wsi);
		break;
@1
	default:
		break;
	}
	return lws_callback_http_dummy(wsi, reason, user, in, len);
}

static const struct lws_protocols protocols[] = {
	{ "http", lws_callback_http_dummy, 0, 0, 0, NULL, 0 },
	{ "feed", callback_feed, 0, 0, 0, NULL, 0 },
	{ NULL, NULL, 0, 0, 0, NULL, 0 }
};

int main(void)
{
	struct lws_context_creation_info info;
	struct lws_client_connect_info i;

	memset(&info, 0, sizeof(info));
	info.port = CONTEXT_PORT_NO_LISTEN;
	info.protocols = protocols;
	memset(&i, 0, sizeof(i));
	i.context = lws_create_context(&info);
	if (!i.context)
		return 1;
	i.address = "127.0.0.1";
	i.port = 7681;
	i.path = "/";
	i.host = i.address;
	i.local_protocol_name = "feed";
	if (!lws_client_connect_via_info(&i))
		lwsl_err("no connection\n");
	while (lws_service(i.context, 0) >= 0)
		;
	lws_context_destroy(i.context);
	return 0;
}
