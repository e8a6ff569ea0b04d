#include <libwebsockets.h>
#include <pthread.h>
#include <string.h>

struct session {
	struct lws_context *context;
	struct lws *wsi;
	pthread_mutex_t lock;
	struct { int length; } queue;
};

int fill(struct session *s);
void queue_push(void *queue, int sample);

@1

static struct session session;

static int callback_feed(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct session *s = &session;

	switch (reason) {
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		s->wsi = wsi;
		break;
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		lwsl_user("write here\n");
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
	pthread_t thread;

	memset(&info, 0, sizeof(info));
	info.port = CONTEXT_PORT_NO_LISTEN;
	info.protocols = protocols;
	session.context = lws_create_context(&info);
	if (!session.context || pthread_create(&thread, NULL, producer, &session))
		return 1;
	while (lws_service(session.context, 0) >= 0)
		;
	pthread_join(thread, NULL);
	lws_context_destroy(session.context);
	return 0;
}
