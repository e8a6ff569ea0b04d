"""Names and calls across files: who is meant, who is called."""

from __future__ import annotations

from tests.model.projects import callees, function, project


def test_static_binds_within_its_file() -> None:
    p = project(
        a_c="static void step(void) {} void run_a(void) { step(); }",
        b_c="static void step(void) {} void run_b(void) { step(); }",
    )
    assert callees(p, "run_a") == {"a.c:step"}
    assert callees(p, "run_b") == {"b.c:step"}


def test_a_static_of_another_file_is_not_called() -> None:
    p = project(a_c="static void step(void) {}", b_c="void run_b(void) { step(); }")
    assert callees(p, "run_b") == set()


def test_the_nearest_file_wins_where_names_repeat() -> None:
    p = project(
        one__main_c="void run(void); int main(void) { run(); }",
        one__run_c="void run(void) {}",
        two__run_c="void run(void) {}",
    )
    assert callees(p, "main") == {"one/run.c:run"}


def test_two_equally_near_functions_are_ambiguous() -> None:
    p = project(x__a_c="void run(void) {}", y__b_c="void run(void) {}", z__main_c="int main(void) { run(); }")
    edges = p.flow.calls[function(p, "main").id]
    assert {e.ambiguous for e in edges} == {True}


def test_methods_bind_by_the_type_of_their_object() -> None:
    p = project(
        a_cpp="""
        struct Door { void open(); };
        struct Book { void open(); };
        void Door::open() {}
        void Book::open() {}
        struct House { Door door; void enter() { door.open(); } };
        void read(Book *book) { book->open(); }
        """
    )
    assert callees(p, "House::enter") == {"a.cpp:Door::open"}
    assert callees(p, "read") == {"a.cpp:Book::open"}


def test_a_virtual_call_reaches_the_overriders() -> None:
    p = project(
        a_cpp="""
        struct Base { virtual void run() = 0; void start() { run(); } };
        struct Derived : Base { void run() override {} };
        """
    )
    assert callees(p, "Base::start") == {"a.cpp:Derived::run"}


def test_a_function_pointer_in_a_struct_field() -> None:
    p = project(
        ops_h="struct ops { int (*write)(int); };",
        a_c="""
        struct ops { int (*write)(int); };
        static int send_all(int n) { return n; }
        static const struct ops table = { .write = send_all };
        int run(const struct ops *ops) { return ops->write(1); }
        """,
    )
    assert callees(p, "run") == {"a.c:send_all"}


def test_a_positional_initialiser_fills_the_declared_fields() -> None:
    p = project(
        a_c="""
        struct ops { int flags; int (*read)(int); int (*write)(int); };
        static int get(int n) { return n; }
        static int put(int n) { return n; }
        static struct ops table = { 0, get, put };
        int run(void) { return table.write(1); }
        """
    )
    assert callees(p, "run") == {"a.c:put"}


def test_a_callback_that_is_registered_and_kept() -> None:
    p = project(
        lib_c="""
        struct bus { void (*on_line)(const char *); };
        void bus_listen(struct bus *bus, void (*handler)(const char *)) { bus->on_line = handler; }
        void bus_emit(struct bus *bus) { bus->on_line("x"); }
        """,
        app_c="""
        struct bus;
        void bus_listen(struct bus *bus, void (*handler)(const char *));
        static void print_line(const char *line) {}
        void setup(struct bus *bus) { bus_listen(bus, print_line); }
        """,
    )
    assert callees(p, "bus_emit") == {"app.c:print_line"}


def test_std_function_members_lambdas_and_bind() -> None:
    p = project(
        a_cpp="""
        #include <functional>
        struct Client {
            std::function<void()> on_open_;
            void listen(std::function<void()> f) { on_open_ = std::move(f); }
            void fire() { on_open_(); }
            void greet() {}
            void setup() { listen(std::bind(&Client::greet, this)); }
        };
        """
    )
    assert callees(p, "Client::fire") == {"a.cpp:Client::greet"}


def test_a_queue_of_tasks_runs_what_was_pushed() -> None:
    p = project(
        a_cpp="""
        #include <functional>
        #include <deque>
        struct Loop {
            std::deque<std::function<void()>> tasks_;
            void post(std::function<void()> task) { tasks_.push_back(task); }
            void run() { auto task = tasks_.front(); task(); }
            void close() {}
            void close_later() { post([this] { close(); }); }
        };
        """
    )
    assert callees(p, "Loop::run") == {"a.cpp:Loop::close_later::<lambda>"}
    assert "a.cpp:Loop::close" not in callees(p, "Loop::close_later")


def test_classes_of_one_name_in_two_programs_keep_their_fields_apart() -> None:
    text = """
    struct Pipe {{ void (*done)(int); void fire() {{ done(0); }} }};
    static void {name}(int n) {{}}
    void setup(Pipe *pipe) {{ pipe->done = {name}; }}
    """
    p = project(one__a_cpp=text.format(name="first"), two__a_cpp=text.format(name="second"))
    assert callees(p, "Pipe::fire", "one/a.cpp") == {"one/a.cpp:first"}
    assert callees(p, "Pipe::fire", "two/a.cpp") == {"two/a.cpp:second"}


def test_what_a_macro_puts_into_a_lambda_is_not_called_here() -> None:
    p = project(
        a_cpp="""
        #define LATER(call) queue->post([=]() { call; })
        struct Conn { void close() {} void closeAsync() { LATER(close()); } };
        """
    )
    assert callees(p, "Conn::closeAsync") <= {"a.cpp:LATER"}


def test_a_recursive_auto_does_not_hang() -> None:
    p = project(a_cpp="void f() { auto x = g(x); auto y = z->y; auto z = y->z; }")
    assert callees(p, "f") == set()


def test_a_class_named_in_a_call_is_no_class_whose_name_ends_so() -> None:
    p = project(
        a_cpp="""
        struct Node { virtual int start(); };
        struct WebNode : Node { int start() override { return 1; } };
        struct Meter : Node { int start() override { return Node::start(); } };
        """
    )
    assert callees(p, "Meter::start") == set()
