#include <libwebsockets.h>
#include <openssl/ssl.h>
#include <string.h>

int leaf_is_pinned(X509_STORE_CTX *store);

static int callback_vault(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	switch (reason) {
@1
	case LWS_CALLBACK_CLIENT_RECEIVE:
		lwsl_user("%zu bytes\n", len);
		break;
	default:
		break;
	}
	return lws_callback_http_dummy(wsi, reason, user, in, len);
}

static const struct lws_protocols protocols[] = {
	{ "vault", callback_vault, 0, 0, 0, NULL, 0 },
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
	i.address = "bank.example.com";
	i.port = 443;
	i.path = "/";
	i.host = i.address;
	i.local_protocol_name = "vault";
	i.ssl_connection = LCCSCF_USE_SSL;
	if (!lws_client_connect_via_info(&i))
		lwsl_err("no connection\n");
	while (lws_service(i.context, 0) >= 0)
		;
	lws_context_destroy(i.context);
	return 0;
}
