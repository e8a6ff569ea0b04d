/* An lws server that speaks the subprotocols "chat.v1" and "chat.v2" and echoes; index 0 is the plain
 * HTTP row, as in the examples of libwebsockets.  With a certificate and its key as arguments it speaks
 * TLS. */
#include <libwebsockets.h>
#include <string.h>

struct session {
	unsigned char frame[LWS_PRE + 128];
	size_t length;
};

static int callback_chat(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct session *session = user;

	switch (reason) {
	case LWS_CALLBACK_RECEIVE:
		session->length = len < 128 ? len : 128;
		memcpy(session->frame + LWS_PRE, in, session->length);
		lws_callback_on_writable(wsi);
		break;
	case LWS_CALLBACK_SERVER_WRITEABLE:
		if (session->length &&
		    lws_write(wsi, session->frame + LWS_PRE, session->length, LWS_WRITE_TEXT) < (int)session->length)
			return -1;
		session->length = 0;
		break;
	default:
		break;
	}
	return 0;
}

static const struct lws_protocols protocols[] = {
	{ "http", lws_callback_http_dummy, 0, 0, 0, NULL, 0 },
	{ "chat.v1", callback_chat, sizeof(struct session), 128, 0, NULL, 0 },
	{ "chat.v2", callback_chat, sizeof(struct session), 128, 0, NULL, 0 },
	{ NULL, NULL, 0, 0, 0, NULL, 0 }
};

int main(int argc, char **argv)
{
	static const struct lws_protocol_vhost_options mark_default = { NULL, NULL, "default", "1" };
	static const struct lws_protocol_vhost_options options = { NULL, &mark_default, "chat.v1", "" };
	struct lws_context_creation_info info;
	struct lws_context *context;

	memset(&info, 0, sizeof(info));
	info.port = 7681;
	info.protocols = protocols;
	info.pvo = &options; /* who asks for no subprotocol gets chat.v1 */
	if (argc > 2) {
		info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
		info.ssl_cert_filepath = argv[1];
		info.ssl_private_key_filepath = argv[2];
	}
	context = lws_create_context(&info);
	if (!context)
		return 1;
	while (lws_service(context, 0) >= 0)
		;
	lws_context_destroy(context);
	return 0;
}
