/* A ws client with an idle service loop on a thread of its own.  One second after the connection is up,
 * main asks for something to be sent, as the first argument says:
 *
 *   writable   queue it, and call lws_callback_on_writable() here: not the service thread
 *   cancel     queue it, and call lws_cancel_service(): the service thread asks for WRITEABLE
 */
#include <libwebsockets.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct lws_context *context;
static struct lws *link_wsi;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int queued, done;

static int take(int *value)
{
	int taken;

	pthread_mutex_lock(&lock);
	taken = *value;
	*value = 0;
	pthread_mutex_unlock(&lock);
	return taken;
}

static void put(int *value)
{
	pthread_mutex_lock(&lock);
	*value = 1;
	pthread_mutex_unlock(&lock);
}

static int callback_link(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	unsigned char frame[LWS_PRE + 8];

	switch (reason) {
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		pthread_mutex_lock(&lock);
		link_wsi = wsi;
		pthread_mutex_unlock(&lock);
		break;
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
	case LWS_CALLBACK_CLIENT_CLOSED:
		put(&done);
		break;
	case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
		if (link_wsi)
			lws_callback_on_writable(link_wsi);
		break;
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		memcpy(frame + LWS_PRE, "late?", 5);
		if (take(&queued) && lws_write(wsi, frame + LWS_PRE, 5, LWS_WRITE_TEXT) < 5)
			return -1;
		break;
	default:
		break;
	}
	return lws_callback_http_dummy(wsi, reason, user, in, len);
}

static const struct lws_protocols protocols[] = {
	{ "link", callback_link, 0, 512, 0, NULL, 0 },
	{ NULL, NULL, 0, 0, 0, NULL, 0 }
};

static void *serve(void *arg)
{
	(void)arg;
	while (!done && lws_service(context, 0) >= 0)
		;
	return NULL;
}

int main(int argc, char **argv)
{
	struct lws_context_creation_info info;
	struct lws_client_connect_info i;
	struct lws *wsi = NULL;
	pthread_t service;

	memset(&info, 0, sizeof(info));
	info.port = CONTEXT_PORT_NO_LISTEN;
	info.protocols = protocols;
	context = lws_create_context(&info);
	if (argc < 2 || !context)
		return 1;
	memset(&i, 0, sizeof(i));
	i.context = context;
	i.path = "/";
	i.host = i.address = i.origin = "localhost";
	i.local_protocol_name = "link";
	if (!lws_client_connect_via_info(&i) || pthread_create(&service, NULL, serve, NULL))
		return 1;
	while (!wsi) {
		usleep(10000);
		pthread_mutex_lock(&lock);
		wsi = link_wsi;
		pthread_mutex_unlock(&lock);
	}
	sleep(1);
	put(&queued);
	if (!strcmp(argv[1], "writable"))
		lws_callback_on_writable(wsi);
	else
		lws_cancel_service(context);
	puts("asked");
	fflush(stdout);
	pthread_join(service, NULL);
	lws_context_destroy(context);
	return 0;
}
