/* A WebSocket client whose connect info is given as arguments: protocol=a,b local=feed ssl=3 host=name.
 * What is not given stays NULL or 0.  It ends when its connection fails or closes. */
#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>

static volatile int done;

static int callback_first(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	if (reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR || reason == LWS_CALLBACK_CLIENT_CLOSED)
		done = 1;
	return lws_callback_http_dummy(wsi, reason, user, in, len);
}

static const struct lws_protocols protocols[] = {
	{ "first", callback_first, 0, 512, 0, NULL, 0 },
	{ "feed", callback_first, 16, 512, 0, NULL, 0 },
	{ NULL, NULL, 0, 0, 0, NULL, 0 }
};

static const char *argument(int argc, char **argv, const char *key)
{
	size_t n = strlen(key);
	int i;

	for (i = 1; i < argc; i++)
		if (!strncmp(argv[i], key, n) && argv[i][n] == '=')
			return argv[i] + n + 1;
	return NULL;
}

int main(int argc, char **argv)
{
	struct lws_context_creation_info info;
	struct lws_client_connect_info i;
	const char *ssl = argument(argc, argv, "ssl"), *host = argument(argc, argv, "host");

	memset(&info, 0, sizeof(info));
	info.port = CONTEXT_PORT_NO_LISTEN;
	info.protocols = protocols;
	info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
	memset(&i, 0, sizeof(i));
	i.context = lws_create_context(&info);
	if (!i.context)
		return 1;
	i.path = "/";
	i.host = host ? host : "localhost";
	i.origin = i.host;
	i.address = i.host;
	i.ssl_connection = ssl ? atoi(ssl) : 0;
	i.protocol = argument(argc, argv, "protocol");
	i.local_protocol_name = argument(argc, argv, "local");
	if (!lws_client_connect_via_info(&i))
		done = 1;
	while (!done && lws_service(i.context, 0) >= 0)
		;
	lws_context_destroy(i.context);
	return 0;
}
