/* As much of lwsws as reads its configuration: what vhosts it asks for, by the library's own reader. */

#include <libwebsockets.h>
#include <stdio.h>
#include <string.h>

static struct lws_protocols protocols[] = {
	{ "http", lws_callback_http_dummy, 0, 0, 0, NULL, 0 },
	{ NULL, NULL, 0, 0, 0, NULL, 0 }
};

int main(int argc, char **argv)
{
	static char strings[32768];
	char *next = strings;
	int room = sizeof(strings);
	struct lws_context_creation_info info;
	struct lws_context *context;

	if (argc < 2)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	memset(&info, 0, sizeof(info));
	info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
	info.protocols = protocols;
	if (lwsws_get_config_globals(&info, argv[1], &next, &room)) {
		puts("refused");
		return 1;
	}
	context = lws_create_context(&info);
	if (!context)
		return 1;
	info.protocols = protocols;
	if (lwsws_get_config_vhosts(context, &info, argv[1], &next, &room)) {
		puts("refused");
		lws_context_destroy(context);
		return 1;
	}
	puts("up");
	while (lws_service(context, 0) >= 0)
		;
	lws_context_destroy(context);
	return 0;
}
