#include <libwebsockets.h>
#include <string.h>

static lws_sorted_usec_list_t timer;

static void tick(lws_sorted_usec_list_t *sul)
{
	lwsl_user("a second has passed\n");
}

static const struct lws_protocols protocols[] = {
	{ "http", lws_callback_http_dummy, 0, 0, 0, NULL, 0 },
	{ NULL, NULL, 0, 0, 0, NULL, 0 }
};

int main(void)
{
	struct lws_context_creation_info info;
	struct lws_context *context;

	memset(&info, 0, sizeof(info));
	info.port = 7681;
	info.protocols = protocols;
	context = lws_create_context(&info);
	if (!context)
		return 1;
	lws_sul_schedule(context, 0, &timer, tick, LWS_US_PER_SEC);
	while (lws_service(context, 0) >= 0)
		;
	lws_context_destroy(context);
	return 0;
}
