//! The harness' own parts, without the module: what the origin sends is what the clients see, directly and through an Envoy that
//! only passes it on.

use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use engraft_harness::bootstrap::{Bootstrap, Cluster, Configuration, Listener, Plugin};
use engraft_harness::client::{self, Connection, Request};
use engraft_harness::envoy::{Binary, Envoy, EnvoyError, Update};
use engraft_harness::nginx;
use engraft_harness::origin::{Framing, Gate, Origin, Pieces, Reply, Then};
use engraft_harness::site::Site;
use engraft_harness::wire::Protocol::{self, Http1, Http2};
use serde_json::{Value, json};

type Outcome = Result<(), Box<dyn Error>>;

const PAGE: &[u8] = b"<!doctype html><title>Aurora</title><h1>Aurora lamp</h1>";

/// A module with the exports that Envoy asks for and nothing behind them.
const HOLLOW_MODULE: &[u8] = b"\0asm\x01\0\0\0\
    \x01\x09\x02\x60\0\0\x60\x01\x7f\x01\x7f\
    \x03\x04\x03\0\x01\0\
    \x05\x03\x01\0\x01\
    \x07\x3b\x04\x06memory\x02\0\x17proxy_abi_version_0_2_1\0\0\x06malloc\0\x01\x0b_initialize\0\x02\
    \x0a\x0c\x03\x02\0\x0b\x04\0\x41\0\x0b\x02\0\x0b";

/// An Envoy that only passes on, between an origin spoken to by `upstream` and clients of either protocol.
fn pass_through(upstream: Protocol, origin: &Origin) -> Result<(Envoy, SocketAddr), EnvoyError> {
    let envoy = Bootstrap::proxy(Listener::main(), Cluster::origin(upstream, origin.addr())).start()?;
    let addr = envoy.listener_addr("main")?;
    Ok((envoy, addr))
}

fn script_framings(origin: &Origin) {
    let framings = [
        ("length", Framing::ContentLength),
        ("chunked", Framing::Chunked),
        ("close", Framing::CloseDelimited),
    ];
    let cuts =
        [("whole", Pieces::Whole), ("sizes", Pieces::Sizes(vec![1, 7, 20])), ("bytes", Pieces::EveryByte)];
    for (framing_name, framing) in framings {
        for (cut_name, cut) in &cuts {
            let reply = Reply::html(PAGE)
                .header("x-twice", "one")
                .header("x-twice", "two")
                .framing(framing)
                .pieces(cut.clone());
            origin.reply(&format!("/{framing_name}/{cut_name}"), reply);
        }
    }
}

fn assert_framings_arrive(protocol: Protocol, addr: SocketAddr) -> Outcome {
    for framing in ["length", "chunked", "close"] {
        for cut in ["whole", "sizes", "bytes"] {
            let path = format!("/{framing}/{cut}");
            let received = client::fetch(protocol, addr, &Request::get(&path))?;
            assert_eq!(received.status, 200, "{path} over {protocol:?}");
            assert_eq!(received.body, PAGE, "{path} over {protocol:?}");
            assert!(received.complete, "{path} over {protocol:?}: {:?}", received.broken);
            assert_eq!(received.headers.all("x-twice"), ["one", "two"], "{path} over {protocol:?}");
        }
    }
    Ok(())
}

#[test]
fn every_framing_arrives_whole_from_the_origin() -> Outcome {
    let origin = Origin::start()?;
    script_framings(&origin);
    for protocol in Protocol::ALL {
        assert_framings_arrive(protocol, origin.addr())?;
    }
    Ok(())
}

#[test]
fn every_framing_arrives_whole_through_envoy() -> Outcome {
    let origin = Origin::start()?;
    script_framings(&origin);
    for upstream in Protocol::ALL {
        let (_envoy, addr) = pass_through(upstream, &origin)?;
        for downstream in Protocol::ALL {
            assert_framings_arrive(downstream, addr)?;
        }
        assert!(origin.take_requests().iter().all(|request| request.protocol == upstream));
    }
    Ok(())
}

#[test]
fn http1_bytes_are_the_scripted_ones() -> Outcome {
    let origin = Origin::start()?;
    let reply = Reply::new(200, "abc").header("X-Case", "kept").framing(Framing::Chunked);
    origin.reply("/", reply.pieces(Pieces::Sizes(vec![2])).trailer("X-Sum", "7"));
    let mut stream = std::net::TcpStream::connect(origin.addr())?;
    std::io::Write::write_all(
        &mut stream,
        b"GET / HTTP/1.1\r\nHost: a\r\nX-Odd:  padded \r\nconnection: close\r\n\r\n",
    )?;
    let mut bytes = String::new();
    std::io::Read::read_to_string(&mut stream, &mut bytes)?;
    let expected = "HTTP/1.1 200 OK\r\nX-Case: kept\r\ntransfer-encoding: chunked\r\n\r\n\
                    2\r\nab\r\n1\r\nc\r\n0\r\nX-Sum: 7\r\n\r\n";
    assert_eq!(bytes, expected);
    let request = origin.take_requests().remove(0);
    let headers: Vec<_> = request.headers.iter().collect();
    assert_eq!(headers, [("Host", &b"a"[..]), ("X-Odd", b"padded"), ("connection", b"close")]);
    Ok(())
}

#[test]
fn head_204_and_304_have_no_body() -> Outcome {
    let origin = Origin::start()?;
    origin.reply("/page", Reply::html(PAGE));
    origin.reply("/none", Reply::new(204, ""));
    origin.reply("/same", Reply::new(304, "").header("etag", "\"a\""));
    for protocol in Protocol::ALL {
        let mut connection = Connection::open(protocol, origin.addr())?;
        let head = connection.fetch(&Request::new("HEAD", "/page"))?;
        assert_eq!((head.header("content-length"), head.body.len(), head.complete), (Some("56"), 0, true));
        let none = connection.fetch(&Request::get("/none"))?;
        assert_eq!((none.status, none.header("content-length"), none.complete), (204, None, true));
        let same = connection.fetch(&Request::get("/same"))?;
        assert_eq!((same.status, same.header("etag"), same.complete), (304, Some("\"a\""), true));
    }
    // The two connections carried three requests each.
    let connections: Vec<_> = origin.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [0, 0, 0, 1, 1, 1]);
    Ok(())
}

#[test]
fn requests_are_recorded_as_they_were_sent() -> Outcome {
    let origin = Origin::start()?;
    origin.otherwise(|request| Reply::new(200, request.body.clone()));
    for protocol in Protocol::ALL {
        let request = Request::new("POST", "/form?q=1")
            .host("x.example")
            .header("cookie", "a=1")
            .header("cookie", "b=2");
        let received = client::fetch(protocol, origin.addr(), &request.body("hello"))?;
        assert_eq!(received.body, b"hello");
        let recorded = origin.take_requests().remove(0);
        assert_eq!((recorded.method.as_str(), recorded.path()), ("POST", "/form"));
        assert_eq!((recorded.target.as_str(), recorded.authority.as_str()), ("/form?q=1", "x.example"));
        assert_eq!(recorded.headers.all("cookie"), ["a=1", "b=2"]);
    }
    Ok(())
}

#[test]
fn trailers_arrive_through_envoy() -> Outcome {
    let origin = Origin::start()?;
    origin.reply("/", Reply::html(PAGE).framing(Framing::Chunked).trailer("x-sum", "42"));
    for upstream in Protocol::ALL {
        let (_envoy, addr) = pass_through(upstream, &origin)?;
        for downstream in Protocol::ALL {
            let received = client::fetch(downstream, addr, &Request::get("/"))?;
            assert_eq!(received.trailers.get("x-sum"), Some("42"), "{upstream:?} to {downstream:?}");
            assert_eq!(received.body, PAGE);
        }
    }
    Ok(())
}

#[test]
fn broken_responses_are_seen_as_broken() -> Outcome {
    let origin = Origin::start()?;
    origin.reply("/reset", Reply::html(PAGE).then(Then::ResetAfter(9)));
    origin.reply("/close", Reply::html(PAGE).framing(Framing::Chunked).then(Then::CloseAfter(9)));
    for upstream in Protocol::ALL {
        let (_envoy, through) = pass_through(upstream, &origin)?;
        let reached = [(upstream, origin.addr()), (Http1, through), (Http2, through)];
        for (protocol, addr) in reached {
            for path in ["/reset", "/close"] {
                let received = client::fetch(protocol, addr, &Request::get(path))?;
                assert!(!received.complete, "{path} over {protocol:?}");
                assert!(received.broken.is_some(), "{path} over {protocol:?}");
                assert_eq!(received.body, b"<!doctype", "{path} over {protocol:?}");
            }
        }
    }
    Ok(())
}

#[test]
fn hanging_response_ends_by_the_clients_patience() -> Outcome {
    let origin = Origin::start()?;
    origin.reply("/", Reply::html(PAGE).then(Then::HangAfter(9)));
    for protocol in Protocol::ALL {
        let mut connection = Connection::open_with(protocol, origin.addr(), Duration::from_millis(200))?;
        let received = connection.fetch(&Request::get("/"))?;
        assert_eq!((received.body.as_slice(), received.complete), (&b"<!doctype"[..], false));
    }
    Ok(())
}

#[test]
fn gate_shows_that_pieces_stream_through_envoy() -> Outcome {
    let origin = Origin::start()?;
    for protocol in Protocol::ALL {
        let (_envoy, addr) = pass_through(protocol, &origin)?;
        let gate = Gate::new();
        origin.reply("/", Reply::html(PAGE).pieces(Pieces::Sizes(vec![15, 5])).gate(&gate));
        let mut connection = Connection::open(protocol, addr)?;
        let mut exchange = connection.start(&Request::get("/"))?;
        assert!(exchange.read_until("<!doctype html>"));
        assert_eq!(exchange.so_far().body.len(), 15);
        gate.open(1);
        assert!(exchange.read_until("<titl"));
        assert_eq!(exchange.so_far().body.len(), 20);
        gate.open_for_good();
        let received = exchange.finish();
        assert_eq!((received.body.as_slice(), received.complete), (PAGE, true));
        assert_eq!(received.reads, 3);
    }
    Ok(())
}

#[test]
fn visitor_that_leaves_mid_body_is_noticed_by_envoy() -> Outcome {
    let origin = Origin::start()?;
    origin.reply("/", Reply::html(PAGE).then(Then::HangAfter(9)));
    let (envoy, addr) = pass_through(Http1, &origin)?;
    for protocol in Protocol::ALL {
        let mut connection = Connection::open(protocol, addr)?;
        let mut exchange = connection.start(&Request::get("/"))?;
        assert!(exchange.read_until("<!doctype"));
        assert!(!exchange.abort().complete);
    }
    let log = envoy.access_log(2)?;
    assert!(log.iter().all(|line| line.get("flags").is_some_and(|flags| flags != "-")), "{log:?}");
    Ok(())
}

#[test]
fn listener_headers_are_there_before_the_filters_and_the_access_log() -> Outcome {
    let origin = Origin::start()?;
    origin.reply("/", Reply::html(PAGE));
    let listener =
        Listener::main().request_header("x-geo-country", "US").log("country", "%REQ(x-geo-country)%");
    let envoy = Bootstrap::proxy(listener, Cluster::origin(Http1, origin.addr())).start()?;
    client::fetch(Http1, envoy.listener_addr("main")?, &Request::get("/").header("x-geo-country", "DE"))?;
    assert_eq!(origin.requests()[0].headers.all("x-geo-country"), ["US"]);
    let line = envoy.access_log(1)?.remove(0);
    assert_eq!(line.get("country"), Some(&json!("US")));
    assert_eq!(line.get("path"), Some(&json!("/")));
    Ok(())
}

#[test]
fn listeners_are_replaced_while_envoy_runs() -> Outcome {
    let envoy =
        Bootstrap::new().listener(Listener::main().answer(200, "one")).listeners_can_change().start()?;
    let fetch = || {
        client::fetch(Http1, envoy.listener_addr("main")?, &Request::get("/")).map_err(Box::<dyn Error>::from)
    };
    assert_eq!(fetch()?.text(), "one");
    assert_eq!(envoy.update_listener(&Listener::main().answer(200, "two"))?, Update::Accepted);
    assert_eq!(fetch()?.text(), "two");
    assert_eq!(envoy.update_listener(&Listener::main().answer(200, "two"))?, Update::Unchanged);

    let bad = Listener::main().cluster("nowhere");
    let Update::Rejected { why } = envoy.update_listener(&bad)? else { return Err("it was accepted".into()) };
    assert!(why.contains("unknown cluster 'nowhere'"), "{why}");
    assert_eq!(fetch()?.text(), "two");

    let wider = Listener::main().answer(200, "four").buffer_limit_bytes(4096);
    assert_eq!(envoy.update_listener(&wider)?, Update::Accepted);
    assert_eq!(fetch()?.text(), "four");
    Ok(())
}

#[test]
fn plugin_that_is_no_module_is_refused_with_envoys_own_words() -> Outcome {
    let dir = tempfile::tempdir()?;
    let module = dir.path().join("no.wasm");
    std::fs::write(&module, "not wasm")?;
    for configuration in [
        Configuration::Yaml("version: 1\nroutes:\n  - name: all\n".to_owned()),
        Configuration::Struct(json!({ "version": 1 })),
        Configuration::Text("version: 1".to_owned()),
        Configuration::None,
    ] {
        let listener = Listener::main().plugin(&Plugin::new(&module, configuration));
        let refused = Bootstrap::new().listener(listener.answer(200, "one")).start();
        let log_tail = match refused {
            Err(EnvoyError::Exited { log_tail, .. }) => log_tail,
            Err(error) => return Err(error.into()),
            Ok(_) => return Err("it started".into()),
        };
        assert!(log_tail.contains("Unable to create Wasm"), "{log_tail}");
    }
    Ok(())
}

#[test]
fn native_yaml_is_read_by_envoy_itself() -> Outcome {
    let dir = tempfile::tempdir()?;
    let module = dir.path().join("hollow.wasm");
    std::fs::write(&module, HOLLOW_MODULE)?;
    let yaml = "# as an operator writes it\nversion: 1\nlands: [NO, on, 007]\ntext: |\n  two\n\n  lines\n";
    let listener = Listener::main()
        .answer(200, "one")
        .plugin(&Plugin::new(&module, Configuration::Yaml(yaml.to_owned())));
    let envoy = Bootstrap::new().listener(listener).start()?;
    let dump: Value = serde_json::from_str(&envoy.admin_get("/config_dump?resource=static_listeners")?)?;
    let read = dump
        .pointer(
            "/configs/0/listener/filter_chains/0/filters/0/typed_config/http_filters/0/typed_config/config",
        )
        .and_then(|config| config.pointer("/configuration/value"));
    let expected = json!({ "version": 1, "lands": [false, true, 7], "text": "two\n\nlines\n" });
    assert_eq!(read, Some(&expected), "{dump:#}");
    assert_eq!(client::fetch(Http1, envoy.listener_addr("main")?, &Request::get("/"))?.text(), "one");
    Ok(())
}

#[test]
fn admin_answers_are_read() -> Outcome {
    let envoy = Bootstrap::new().start()?;
    assert!(envoy.binary().has_extension("envoy.filters.http.wasm"));
    assert!(envoy.prometheus()?.contains("envoy_server_live"));
    assert_eq!(envoy.stat("server.live")?, 1);
    assert_eq!(envoy.stat("server.no_such")?, 0);
    assert!(!cfg!(target_os = "linux") || !envoy.cpu_time()?.is_zero());
    envoy.admin_post("/logging?level=warning")?;
    assert!(envoy.admin_get("/no_such").is_err());
    Ok(())
}

#[test]
fn dropped_envoy_is_gone() -> Outcome {
    let envoy = Bootstrap::new().start()?;
    let (pid, dir) = (envoy.pid(), envoy.dir().to_path_buf());
    let process = std::path::PathBuf::from(format!("/proc/{pid}"));
    assert!(!cfg!(target_os = "linux") || process.exists());
    drop(envoy);
    assert!(!process.exists());
    assert!(!dir.exists());
    Ok(())
}

/// The test runs itself once more as the process that is killed.
#[cfg(target_os = "linux")]
#[test]
fn killed_test_process_takes_its_envoy_along() -> Outcome {
    use std::io::BufRead as _;
    use std::process::{Command, Stdio};

    const ROLE: &str = "ENGRAFT_PARTS_TO_BE_KILLED";
    if std::env::var_os(ROLE).is_some() {
        // The thread that starts Envoy ends before the process does; that alone must not take Envoy along.
        let envoy =
            std::thread::spawn(|| Bootstrap::new().start()).join().map_err(|_| "the thread panicked")??;
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(envoy.stat("server.live")?, 1);
        println!("pid {} in {}", envoy.pid(), envoy.dir().display());
        std::thread::sleep(Duration::from_secs(60));
        return Ok(());
    }
    if Command::new("setpriv").arg("--version").stdout(Stdio::null()).status().is_err() {
        println!("without util-linux' setpriv an Envoy outlives a killed test process");
        return Ok(());
    }
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--exact", "killed_test_process_takes_its_envoy_along", "--nocapture"]);
    let mut child = command.env(ROLE, "1").stdout(Stdio::piped()).spawn()?;
    let output = std::io::BufReader::new(child.stdout.take().ok_or("no output")?);
    let told = output.lines().map_while(Result::ok).find_map(|line| {
        let (_, told) = line.split_once("pid ")?;
        let (pid, dir) = told.split_once(" in ")?;
        Some((pid.to_owned(), dir.to_owned()))
    });
    child.kill()?;
    child.wait()?;
    let (pid, dir) = told.ok_or("the child told no pid")?;
    // Nobody was left to do it.
    std::fs::remove_dir_all(&dir)?;
    // Envoy belongs to init now, which may take a moment to reap it; a zombie has no command line any more.
    let command_line = format!("/proc/{pid}/cmdline");
    for _ in 0..500 {
        if std::fs::read(&command_line).unwrap_or_default().is_empty() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Err(format!("envoy {pid} still runs").into())
}

#[test]
fn folder_is_served_as_a_static_server_would() -> Outcome {
    let dir = tempfile::tempdir()?;
    std::fs::create_dir_all(dir.path().join("site/p"))?;
    std::fs::write(dir.path().join("secret.txt"), "secret")?;
    std::fs::write(dir.path().join("site/p/index.html"), PAGE)?;
    std::fs::write(dir.path().join("site/a b.css"), "h1 {}")?;
    let origin = Site::new(&dir.path().join("site"))?.serve()?;
    let fetch = |request: &Request| client::fetch(Http1, origin.addr(), request);

    let page = fetch(&Request::get("/p/?q=1"))?;
    assert_eq!((page.status, page.body.as_slice()), (200, PAGE));
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let etag = page.header("etag").ok_or("no etag")?;
    let modified = page.header("last-modified").ok_or("no last-modified")?;
    for fresh in [("if-none-match", format!("\"x\", W/{etag}")), ("if-modified-since", modified.to_owned())] {
        let answer = fetch(&Request::get("/p/").header(fresh.0, fresh.1))?;
        assert_eq!((answer.status, answer.header("etag"), answer.body.len()), (304, Some(etag), 0));
    }
    let stale = Request::get("/p/").header("if-none-match", "\"x\"").header("if-modified-since", modified);
    assert_eq!(fetch(&stale)?.status, 200);
    assert_eq!(fetch(&Request::get("/a%20b.css"))?.header("content-type"), Some("text/css; charset=utf-8"));
    assert_eq!(fetch(&Request::get("/p?q=1"))?.header("location"), Some("/p/?q=1"));
    assert_eq!(fetch(&Request::new("POST", "/p/").body("x"))?.status, 405);
    for outside in ["/none", "/../secret.txt", "/p/%2e%2e/%2e%2e/secret.txt", "//secret.txt", "/%00"] {
        assert_eq!(fetch(&Request::get(outside))?.status, 404, "{outside}");
    }
    Ok(())
}

#[test]
fn unsuitable_program_is_refused_with_the_fix() {
    let Err(refused) = Binary::at("/bin/sh".as_ref()) else { panic!("a shell is no Envoy") };
    assert!(refused.to_string().contains("make envoy"), "{refused}");
}

#[test]
fn nginx_asks_the_origin_once_for_each_key() -> Outcome {
    if nginx::binary().is_none() {
        writeln!(std::io::stderr(), "SKIPPED: {}", nginx::NginxError::NotFound)?;
        return Ok(());
    }
    let origin = Origin::start()?;
    origin.reply("/p/a", Reply::html(PAGE).header("cache-control", "max-age=60"));
    origin.reply("/p/b", Reply::html(PAGE).header("cache-control", "no-store"));
    let cache = nginx::Cache::new(origin.addr()).keyed_by("x-geo-country").start()?;
    let asks = [
        ("/p/a", "US", "MISS"),
        ("/p/a", "US", "HIT"),
        ("/p/a", "CA", "MISS"),
        ("/p/a", "CA", "HIT"),
        ("/p/b", "CA", "MISS"),
        ("/p/b", "CA", "MISS"),
    ];
    for (path, country, expected) in asks {
        let received =
            client::fetch(Http1, cache.addr(), &Request::get(path).header("x-geo-country", country))?;
        assert_eq!(received.header("x-cache"), Some(expected), "{path}, {country}: {}", cache.log());
        assert_eq!(received.body, PAGE);
    }
    assert_eq!(origin.requests().len(), 4);

    origin.reply("/p/c", Reply::html(PAGE).header("cache-control", "max-age=60"));
    std::thread::scope(|scope| {
        let ask =
            || client::fetch(Http1, cache.addr(), &Request::get("/p/c")).map(|received| received.status);
        let asked: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        for answer in asked {
            assert_eq!(answer.join().unwrap().unwrap(), 200);
        }
    });
    assert_eq!(
        origin.requests().iter().filter(|request| request.path() == "/p/c").count(),
        1,
        "the key is locked"
    );
    Ok(())
}
