/* Linked beside a program, unchanged, that uses libwebsockets: sends it to loopback, and tells what lws
 * tells it.  The linker's --wrap hands the program's calls over (see harness.py):
 *
 *   lws_create_context           listens on a free port of loopback, trusts SPY_CA, and gets callbacks
 *                                that print each event before the program's own callback sees it
 *   lws_client_connect_via_info  goes to 127.0.0.1:SPY_PORT; SPY_TLS=off takes the TLS away, and its
 *                                set-up, which takes valgrind many seconds
 *   lws_context_destroy,
 *   lws_vhost_destroy            are told of
 *   pthread_create               whoever starts a thread waits SPY_START_MS milliseconds before it goes on,
 *                                so that the other thread is where it is nearly always: asleep in poll()
 *   lws_serve_http_file          serves SPY_FILE
 *   nanosleep, clock_nanosleep   sleeps no longer than SPY_SLEEP_MS milliseconds
 *
 * Nothing else of what the program asks for is changed.  One line of output for each thing seen:
 *   listening PORT · connect protocol=… local=… ssl=… · event ROW NAME REASON count=N user=set|null TEXT
 */
#define _GNU_SOURCE
#include <libwebsockets.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define ROWS 8
#define REASONS 256
#define SECONDS_TO_LIVE 60 /* the last resort, should even the test's own end not stop this process */

struct lws_context *__real_lws_create_context(const struct lws_context_creation_info *info);
struct lws *__real_lws_client_connect_via_info(const struct lws_client_connect_info *info);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*routine)(void *), void *argument);
void __real_lws_context_destroy(struct lws_context *context);
void __real_lws_vhost_destroy(struct lws_vhost *vhost);
int __real_lws_serve_http_file(struct lws *wsi, const char *file, const char *type, const char *headers, int length);
int __real_nanosleep(const struct timespec *wanted, struct timespec *left);
int __real_clock_nanosleep(clockid_t clock, int flags, const struct timespec *wanted, struct timespec *left);

__attribute__((constructor)) static void die_with_the_test(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(SECONDS_TO_LIVE);
}

/* One write for one line: lines of several threads do not mix. */
__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	char line[512];
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(line, sizeof(line) - 1, format, arguments);
	va_end(arguments);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	if (write(STDOUT_FILENO, line, (size_t)n) < 0)
		_exit(99);
}

static long number(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text ? atol(text) : otherwise;
}

static int without_tls(void)
{
	const char *tls = getenv("SPY_TLS");

	return tls && !strcmp(tls, "off");
}

static void say_log(int level, const char *text)
{
	say("log %d %.*s", level, (int)strcspn(text, "\n"), text);
}

#define REASON(name) [LWS_CALLBACK_##name] = #name
static const char *const reason_names[REASONS] = {
	REASON(ESTABLISHED), REASON(CLIENT_CONNECTION_ERROR), REASON(CLIENT_ESTABLISHED), REASON(CLOSED),
	REASON(RECEIVE), REASON(CLIENT_RECEIVE), REASON(CLIENT_WRITEABLE), REASON(SERVER_WRITEABLE),
	REASON(HTTP), REASON(HTTP_FILE_COMPLETION), REASON(CLIENT_FILTER_PRE_ESTABLISH), REASON(CLIENT_CLOSED),
	REASON(CLIENT_APPEND_HANDSHAKE_HEADER), REASON(ESTABLISHED_CLIENT_HTTP), REASON(CLOSED_CLIENT_HTTP),
	REASON(RECEIVE_CLIENT_HTTP), REASON(RECEIVE_CLIENT_HTTP_READ), REASON(COMPLETED_CLIENT_HTTP),
	REASON(EVENT_WAIT_CANCELLED), REASON(OPENSSL_PERFORM_SERVER_CERT_VERIFICATION),
};

static lws_callback_function *originals[ROWS];
static const char *names[ROWS];
static unsigned int counts[ROWS][REASONS];

/* Tells of the first few of a kind, then of each power of two, so that a spinning loop stays readable. */
static int worth_telling(unsigned int count)
{
	return count <= 8 || !(count & (count - 1));
}

static int pass_on(int row, struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	const char *name = (unsigned int)reason < REASONS ? reason_names[reason] : NULL;
	int textual = reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR || reason == LWS_CALLBACK_CLIENT_RECEIVE ||
		      reason == LWS_CALLBACK_RECEIVE;
	unsigned int count;

	if (name) {
		count = __atomic_add_fetch(&counts[row][reason], 1, __ATOMIC_RELAXED);
		if (worth_telling(count))
			say("event %d %s %s count=%u user=%s %.*s", row, names[row], name, count, user ? "set" : "null",
			    textual && in ? (int)len : 0, textual && in ? (const char *)in : "");
	}
	return originals[row](wsi, reason, user, in, len);
}

#define ROW(n)                                                                                                        \
	static int row_##n(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)      \
	{                                                                                                            \
		return pass_on(n, wsi, reason, user, in, len);                                                       \
	}
ROW(0) ROW(1) ROW(2) ROW(3) ROW(4) ROW(5) ROW(6) ROW(7)

static lws_callback_function *const rows[ROWS] = { row_0, row_1, row_2, row_3, row_4, row_5, row_6, row_7 };

struct lws_context *__wrap_lws_create_context(const struct lws_context_creation_info *asked)
{
	struct lws_context_creation_info info = *asked;
	/* lws goes on using the table after this returns: it is never freed. */
	struct lws_protocols *table = calloc(ROWS + 1, sizeof(*table));
	struct lws_context *context;
	struct lws_vhost *vhost;
	int row;

	if (!table)
		return NULL;
	lws_set_log_level(LLL_ERR | LLL_WARN | LLL_NOTICE | LLL_USER | (getenv("SPY_INFO") ? LLL_INFO : 0), say_log);
	for (row = 0; row < ROWS && asked->protocols[row].callback; row++) {
		originals[row] = asked->protocols[row].callback;
		names[row] = asked->protocols[row].name;
		table[row] = asked->protocols[row];
		table[row].callback = rows[row];
	}
	info.protocols = table;
	if (getenv("SPY_CA"))
		info.client_ssl_ca_filepath = getenv("SPY_CA");
	if (without_tls())
		info.options &= ~(uint64_t)LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
	if (info.port != CONTEXT_PORT_NO_LISTEN) {
		info.port = 0; /* lws: any free port */
		info.iface = "127.0.0.1";
	}
	context = __real_lws_create_context(&info);
	vhost = context && info.port != CONTEXT_PORT_NO_LISTEN ? lws_get_vhost_by_name(context, "default") : NULL;
	if (vhost)
		say("listening %d", lws_get_vhost_listen_port(vhost));
	return context;
}

struct lws *__wrap_lws_client_connect_via_info(const struct lws_client_connect_info *asked)
{
	struct lws_client_connect_info info = *asked;
	struct lws *wsi;

	info.address = "127.0.0.1";
	info.port = (int)number("SPY_PORT", 1);
	if (without_tls())
		info.ssl_connection = 0;
	say("connect protocol=%s local=%s ssl=%d", info.protocol ? info.protocol : "NULL",
	    info.local_protocol_name ? info.local_protocol_name : "NULL", info.ssl_connection);
	wsi = __real_lws_client_connect_via_info(&info);
	say("connect returned %s", wsi ? "a wsi" : "NULL");
	return wsi;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*routine)(void *), void *argument)
{
	long milliseconds = number("SPY_START_MS", 0);
	int failed = __real_pthread_create(thread, attributes, routine, argument);

	__real_nanosleep(&(struct timespec){ milliseconds / 1000, milliseconds % 1000 * 1000000 }, NULL);
	return failed;
}

void __wrap_lws_context_destroy(struct lws_context *context)
{
	say("destroying");
	__real_lws_context_destroy(context);
	say("destroyed");
}

void __wrap_lws_vhost_destroy(struct lws_vhost *vhost)
{
	say("destroying vhost");
	__real_lws_vhost_destroy(vhost);
	say("destroyed vhost");
}

int __wrap_lws_serve_http_file(struct lws *wsi, const char *file, const char *type, const char *headers, int length)
{
	const char *other = getenv("SPY_FILE");

	return __real_lws_serve_http_file(wsi, other ? other : file, type, headers, length);
}

static struct timespec shortened(const struct timespec *wanted)
{
	long most = number("SPY_SLEEP_MS", -1);

	if (most < 0 || wanted->tv_sec * 1000 + wanted->tv_nsec / 1000000 <= most)
		return *wanted;
	return (struct timespec){ .tv_sec = most / 1000, .tv_nsec = most % 1000 * 1000000 };
}

int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left)
{
	struct timespec actual = shortened(wanted);

	return __real_nanosleep(&actual, left);
}

int __wrap_clock_nanosleep(clockid_t clock, int flags, const struct timespec *wanted, struct timespec *left)
{
	struct timespec actual = flags & TIMER_ABSTIME ? *wanted : shortened(wanted);

	return __real_clock_nanosleep(clock, flags, &actual, left);
}
