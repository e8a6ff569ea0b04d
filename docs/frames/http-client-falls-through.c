#include <libwebsockets.h>
#include <string.h>

static int take(void *user, void *in, size_t len)
{
	lwsl_hexdump_notice(in, len);
	return !user;
}

static int callback_page(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	switch (reason) {
	case LWS_CALLBACK_COMPLETED_CLIENT_HTTP:
		take(user, "\n", 1);
		break;
	default:
		break;
@1
}

static const struct lws_protocols protocols[] = {
	{ "page", callback_page, 16, 0, 0, NULL, 0 },
	{ NULL, NULL, 0, 0, 0, NULL, 0 }
};

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
	i.path = "/status";
	i.host = i.address;
	i.method = "GET";
	i.local_protocol_name = "page";
	i.ssl_connection = LCCSCF_USE_SSL;
	if (!lws_client_connect_via_info(&i))
		lwsl_err("no connection\n");
	while (lws_service(i.context, 0) >= 0)
		;
	lws_context_destroy(i.context);
	return 0;
}
