#include <libwebsockets.h>
#include <string.h>

struct feed { int count; };

static int callback_feed(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	if (reason == LWS_CALLBACK_CLIENT_RECEIVE)
		lwsl_user("%zu bytes\n", len);
	return lws_callback_http_dummy(wsi, reason, user, in, len);
}

@1

int main(void)
{
	struct lws_context_creation_info info;
	struct lws_client_connect_info i;

	memset(&info, 0, sizeof(info));
	info.port = CONTEXT_PORT_NO_LISTEN;
	info.protocols = protocols;
	info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
	memset(&i, 0, sizeof(i));
	i.context = lws_create_context(&info);
	if (!i.context)
		return 1;
	i.address = "radio.example.com";
	i.port = 443;
	i.path = "/feed";
	i.host = i.address;
	i.origin = i.address;
	i.ssl_connection = LCCSCF_USE_SSL;
@2
	if (!lws_client_connect_via_info(&i))
		lwsl_err("no connection\n");
	while (lws_service(i.context, 0) >= 0)
		;
	lws_context_destroy(i.context);
	return 0;
}
