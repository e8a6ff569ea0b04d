#include <libwebsockets.h>
#include <pthread.h>
#include <string.h>

static volatile int stop;
static pthread_t thread;

static int callback_feed(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	if (reason == LWS_CALLBACK_CLIENT_RECEIVE)
		lwsl_user("%zu bytes\n", len);
	return lws_callback_http_dummy(wsi, reason, user, in, len);
}

static const struct lws_protocols protocols[] = {
	{ "http", lws_callback_http_dummy, 0, 0, 0, NULL, 0 },
	{ "feed", callback_feed, 0, 0, 0, NULL, 0 },
	{ NULL, NULL, 0, 0, 0, NULL, 0 }
};

static void *service_loop(void *arg)
{
	struct lws_context *context = arg;

	while (!stop && lws_service(context, 0) >= 0)
		;
	return NULL;
}

int main(void)
{
	struct lws_context_creation_info info;
	struct lws_client_connect_info i;
	struct lws_context *context;

	memset(&info, 0, sizeof(info));
	memset(&i, 0, sizeof(i));
	info.port = CONTEXT_PORT_NO_LISTEN;
	info.protocols = protocols;
	i.address = "127.0.0.1";
	i.port = 7681;
	i.path = "/";
	i.host = i.address;
	i.local_protocol_name = "feed";
@1
	pthread_join(thread, NULL);
	lws_context_destroy(context);
	return 0;
}
