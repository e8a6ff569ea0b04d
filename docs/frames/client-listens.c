#include <libwebsockets.h>
#include <string.h>

static struct {
	struct lws *wsi;
	int retry;
} session;

static int callback_feed(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	switch (reason) {
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		session.wsi = wsi;
		break;
	case LWS_CALLBACK_CLIENT_CLOSED:
		session.wsi = NULL;
		break;
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
	struct lws_context *context;

@1
	memset(&i, 0, sizeof(i));
	i.context = context;
	if (!i.context)
		return 1;
	i.address = "127.0.0.1";
	i.port = 7681;
	i.path = "/";
	i.host = i.address;
	i.local_protocol_name = "feed";
	session.wsi = lws_client_connect_via_info(&i);
	while (lws_service(i.context, 0) >= 0)
		;
	lws_context_destroy(i.context);
	return 0;
}
