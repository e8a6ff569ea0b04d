"""What only C++ has."""

from __future__ import annotations

import pytest

from tests.frontends.c_spelling import block, body, lower, spell, value


@pytest.mark.parametrize(
    ("source", "spelled"),
    [
        ("nullptr", "null"),
        ("10'000ull", "10000"),
        ('R"x(a\\n)x"', r"'a\\n'"),
        ('u8"abc"', "'abc'"),
        ('"abc"s', "'abc'"),
        ("100ms", "?(100)"),
        ("&Client::run", "(& Client::run)"),
        ("ns::f(x)", "ns::f(x)"),
        ("std::make_unique< std::thread >(fn)", "std::make_unique<std::thread>(fn)"),
        ("new T(a, b)", "new T(a, b)"),
        ("new std::thread[3]", "new std::thread[](3)"),
        ("T{a, b}", "construct T(a, b)"),
        ("T{.a = 1}", "T{a: 1}"),
        ("std::thread(fn)", "std::thread(fn)"),
        ("int(x)", "<int>x"),
        ("static_cast<Client *>(x)", "<Client*>x"),
        ("reinterpret_cast<const char*>(x)", "<char*>x"),
        ("(obj->*method)(x)", "(obj ->* method)(x)"),
        ("(obj.*method)(x)", "(obj .* method)(x)"),
        ("(this->*table[r].run)(x)", "(this ->* table[r].run)(x)"),
        ("(obj.*table[r])(x)", "(obj .* table[r])(x)"),
        ("a % b", "(a % b)"),
        ('"a" "b" X "c"', "(('ab' + X) + 'c')"),
        ('"a" X', "('a' + X)"),
        ('X "a" Y "b"', "(((X + 'a') + Y) + 'b')"),
        ('"a" STR(x) "b"', "(('a' + ?()) + 'b')"),
        ("p->Base::run()", "p.Base::run()"),
        ("obj.template get<int>()", "obj.get<int>()"),
        ("not a and b", "((! a) && b)"),
        ("this->x", "this.x"),
        ("::lws_service(c, 0)", "::lws_service(c, 0)"),
        ("std::bind(&C::run, this, _1)", "std::bind((& C::run), this, _1)"),
        ("{1, 2}", "{1, 2}"),
    ],
)
def test_expressions(source: str, spelled: str) -> None:
    assert value(source, "cpp") == spelled


@pytest.mark.parametrize(
    ("source", "spelled"),
    [
        ("std::thread t(fn, arg);", "std::thread t = construct std::thread(fn, arg);"),
        ("std::thread t(&C::run, this);", "std::thread t = construct std::thread((& C::run), this);"),
        ("std::thread t(fn, std::ref(x));", "std::thread t = construct std::thread(fn, std::ref(x));"),
        ("std::thread t{fn};", "std::thread t = construct std::thread(fn);"),
        ("std::thread t = std::thread(fn);", "std::thread t = std::thread(fn);"),
        (
            "std::lock_guard<std::mutex> l(m_);",
            "std::lock_guard<std::mutex> l = construct std::lock_guard<std::mutex>(m_);",
        ),
        ("T w(int);", ""),
        ("T w();", ""),
        ("int y{5}; T *p{nullptr};", "int y = 5; T* p = null;"),
        (
            "lws_context_creation_info i{};",
            "lws_context_creation_info i = construct lws_context_creation_info();",
        ),
        ("int a[]{1, 2};", "int[] a = {1, 2};"),
        ("delete p; delete[] q;", "(delete p); (delete q);"),
        ("throw x;", "(throw x);"),
        ("co_await x; co_return y;", "(await x); return y;"),
        ("auto [a, b] = f();", "auto a = ?(f()); auto b = -;"),
        ("if (auto p = f()) g();", "auto p = f(); if p {g();}"),
        ("if (auto p = f(); p) g();", "auto p = f(); if p {g();}"),
        ("if constexpr (x) g();", "if x {g();}"),
        ("while (auto p = f()) g();", "while (auto p = -;|p = f()|) {g();}"),
        ("switch (int i = f(); i) { case 1: break; }", "int i = f(); switch i [1: break;]"),
        ("for (auto &x : v) g();", "range (auto& x = ?(v);|-|) {g();}"),
        ("for (auto [k, w] : v) g();", "range (auto k = ?(v); auto w = ?();|-|) {g();}"),
        (
            "try { a(); } catch (const E &e) { b(); } catch (...) { }",
            "try {a();} catch {E& e = -; b();} catch {}",
        ),
        ("[[fallthrough]]; a();", "a();"),
        ("handlers[reason](a, b);", "handlers[reason](a, b);"),
        ("ns::table[i][j](std::move(x)), g(y);", "ns::table[i][j](std::move(x)); g(y);"),
        ("handlers[reason](int(a)); handlers[reason]();", "handlers[reason](<int>a); handlers[reason]();"),
        ("f(x)(y); (*table[i])(a); obj->fn[i](x);", "f(x)(y); (* table[i])(a); obj.fn[i](x);"),
        ("using T = int; static_assert(true); a();", "a();"),
    ],
)
def test_statements(source: str, spelled: str) -> None:
    assert body(source, "cpp") == spelled


def test_methods_inside_and_outside_of_their_class() -> None:
    found = lower(
        """
        namespace a::b {
        class Client : public Base, private ns::C<int> {
            Client(int x) : x_(x), t_{&Client::run, this} { go(); }
            ~Client() {}
            virtual void run();
            void loop() override { x(); }
            static int count() { return 1; }
            operator bool() const { return true; }
            std::thread t_{&Client::run, this};
            int x_ = 3, *y_;
        public:
            void stop();
            template <class T> void send(T x) { y(); }
        };
        template <class T> void Box<T>::open() const { }
        void Client::stop() { z(); }
        namespace { int hidden() { } int state; }
        static int local() { }
        }
        """,
        "cpp",
    )
    assert [(x.qualified, x.kind, x.owner, x.static, x.virtual) for x in found.functions] == [
        ("a::b::Client::Client", "constructor", "a::b::Client", False, False),
        ("a::b::Client::~Client", "destructor", "a::b::Client", False, False),
        ("a::b::Client::loop", "method", "a::b::Client", False, True),
        ("a::b::Client::count", "method", "a::b::Client", False, False),
        ("a::b::Client::operator bool", "method", "a::b::Client", False, False),
        ("a::b::Client::send", "method", "a::b::Client", False, False),
        ("a::b::Box::open", "method", "a::b::Box", False, False),
        ("a::b::Client::stop", "method", "a::b::Client", False, False),
        ("a::b::hidden", "function", "", True, False),
        ("a::b::local", "function", "", True, False),
    ]
    assert block(found.functions[0].body) == "x_ ( {x}; t_ ( {(& Client::run), this}; go();"
    (client,) = found.classes
    assert (client.qualified, client.bases) == ("a::b::Client", ("Base", "ns::C<int>"))
    assert [(x.name, x.type, spell(x.value)) for x in client.fields] == [
        ("t_", "std::thread", "construct std::thread((& Client::run), this)"),
        ("x_", "int", "3"),
        ("y_", "int*", "-"),
    ]
    assert client.methods == ("Client", "~Client", "run", "loop", "count", "operator bool", "stop", "send")
    assert client.public == ("stop", "send")
    assert [p.qualified for p in found.prototypes] == ["a::b::Client::run", "a::b::Client::stop"]
    assert [(v.name, v.static) for v in found.variables] == [("state", True)]


def test_structs_are_public_and_prototypes_are_methods() -> None:
    (found,) = lower("struct S { S(); void a(); int f; private: void b(); };", "cpp").classes
    assert (found.methods, found.public) == (("S", "a", "b"), ("S", "a"))
    assert [x.name for x in found.fields] == ["f"]


def test_defaulted_members_are_prototypes() -> None:
    found = lower("C::~C() = default; struct D { D(D&&) = delete; virtual void f() = 0; };", "cpp")
    assert found.functions == ()
    assert [p.qualified for p in found.prototypes] == ["C::~C", "D::D", "D::f"]


def test_every_default_finds_its_member() -> None:
    (found,) = lower("struct S { int a = 1, b = 2, c; T d{x}; };", "cpp").classes
    assert [(x.name, spell(x.value)) for x in found.fields] == [
        ("a", "1"),
        ("b", "2"),
        ("c", "-"),
        ("d", "construct T(x)"),
    ]


def test_namespaces_and_linkage() -> None:
    found = lower(
        'namespace n { void f() {} } void n::g() {} extern "C" { int h() {} } extern "C" int i() {}', "cpp"
    )
    assert [(x.qualified, x.kind, x.owner) for x in found.functions] == [
        ("n::f", "function", ""),
        ("n::g", "function", ""),
        ("h", "function", ""),
        ("i", "function", ""),
    ]


def test_lambdas_are_functions_of_their_own() -> None:
    found = lower(
        """
        auto global = [](int x) { a(); };
        void f(int n = [] { return 1; }()) {
            std::thread t([this, p = make()]() mutable -> int { b(); go([&] { c(); }); });
        }
        struct S { std::function<void()> cb = [this] { d(); }; void m() { go([=] { e(); }); } };
        """,
        "cpp",
    )
    lambdas = [
        (i, x.parent, x.qualified, x.owner, block(x.body))
        for i, x in enumerate(found.functions)
        if x.kind == "lambda"
    ]
    assert lambdas == [
        (0, None, "<lambda>", "", "a();"),
        (2, 1, "f::<lambda>", "", "return 1;"),
        (3, 1, "f::<lambda>", "", "auto p = make(); b(); go(lambda#4);"),
        (4, 3, "f::<lambda>::<lambda>", "", "c();"),
        (5, None, "S::<lambda>", "S", "d();"),
        (7, 6, "S::m::<lambda>", "S", "e();"),
    ]
    assert found.functions[3].returns == "int"
    assert block(found.functions[1].body) == "std::thread t = construct std::thread(lambda#3);"


def test_a_variable_that_looks_like_a_prototype() -> None:
    found = lower("void run() {} std::thread worker(run); Foo make(Bar);", "cpp")
    assert [(v.name, spell(v.value)) for v in found.variables] == [("worker", "construct std::thread(run)")]
    assert [p.name for p in found.prototypes] == ["make"]


def test_trailing_return_type_and_aliases() -> None:
    found = lower("auto f() -> lws * { } using cb = int (*)(int); enum class E : int { A, B };", "cpp")
    assert found.functions[0].returns == "lws*"
    assert [(a.name, a.type) for a in found.aliases] == [("cb", "int(*)(int)")]
    assert [e.name for e in found.enumerators] == ["A", "B"]


def test_function_try_block() -> None:
    (found,) = lower("void f() try { a(); } catch (...) { b(); }", "cpp").functions
    assert block(found.body) == "try {a();} catch {b();}"
