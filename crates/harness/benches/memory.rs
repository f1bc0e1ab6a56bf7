//! How much memory Envoy takes with engraft in it: for each worker, for configurations and payloads, and for each page that is under way.
//!
//! What is read is the process's resident set (`VmRSS`), and what of it is Envoy's own heap (the admin's `/memory`), which the memory of wasm
//! VMs is not in. Pages are held at the origin until all of them are in the middle of their bodies.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use engraft_harness::bootstrap::{Bootstrap, Cluster, Configuration, FailurePolicy, Listener, Plugin};
use engraft_harness::client::{self, Connection, Request};
use engraft_harness::envoy::Envoy;
use engraft_harness::origin::{Framing, Gate, Origin, Pieces, Reply};
use engraft_harness::payload;
use engraft_harness::table::Table;
use engraft_harness::wire::Protocol::Http1;
use serde_json::Value;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Pages that are under way at once.
const STREAMS: u32 = 100;
/// Requests before anything is read, so that what V8 compiles on the way is there.
const WARMING: usize = 50;
const MEBIBYTE: usize = 1 << 20;

const ONE_PATCH: &str = "
version: 1
routes:
  - name: all
    patches: [{ select: h1, text: new }]
";

fn main() -> ExitCode {
    match workers().and_then(|()| streams()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "memory: {error}");
            ExitCode::FAILURE
        }
    }
}

fn show(table: &Table) -> Outcome<()> {
    Ok(writeln!(io::stdout(), "{table}")?)
}

/// An Envoy in front of an origin of pages, and of a service of payloads.
fn start(configuration: Option<&str>, workers: u32, origin: &Origin) -> Outcome<Envoy> {
    let mut listener = Listener::main();
    if let Some(text) = configuration {
        let plugin = Plugin::engraft(Configuration::Yaml(text.to_owned()))?;
        listener = listener.plugin(&plugin.failure_policy(FailurePolicy::FailClosed));
    }
    let bootstrap = Bootstrap::proxy(listener, Cluster::origin(Http1, origin.addr())).cluster(Cluster::new(
        "growthbook",
        Http1,
        origin.addr(),
    ));
    Ok(bootstrap.launch().concurrency(workers).start()?)
}

/// KiB that are resident.
fn resident(envoy: &Envoy) -> Outcome<i64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", envoy.pid()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// Where the memory is, in KiB.
#[derive(Clone, Copy)]
struct Split {
    /// Allocated in Envoy's heap.
    heap: i64,
    /// Resident, and not of Envoy's heap: wasm VMs, beside what does not change while pages are served.
    outside: i64,
}

fn split(envoy: &Envoy) -> Outcome<Split> {
    let memory: Value = serde_json::from_str(&envoy.admin_get("/memory")?)?;
    let field = |name: &str| {
        let bytes = memory.get(name).and_then(Value::as_str).and_then(|text| text.parse::<i64>().ok());
        bytes.map(|bytes| bytes / 1024).ok_or_else(|| format!("/memory has no {name}"))
    };
    Ok(Split { heap: field("allocated")?, outside: resident(envoy)? - field("total_physical_bytes")? })
}

fn warm(envoy: &Envoy, workers: u32) -> Outcome<()> {
    let addr = envoy.listener_addr("main")?;
    // Each over a connection of its own, which the kernel spreads.
    for _ in 0..WARMING * usize::try_from(workers)? {
        client::fetch(Http1, addr, &Request::get("/"))?;
    }
    Ok(())
}

fn mib(kib: i64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let mib = kib as f64 / 1024.0;
    format!("{mib:.1}")
}

/// 1000 patches on 100 routes.
fn many_patches() -> String {
    let mut text = "version: 1\nroutes:\n".to_owned();
    for route in 0..100 {
        // Writing to a string can't fail.
        let _ = write!(
            text,
            "  - name: r{route}\n    match: {{ path: {{ prefix: /r{route}/ }} }}\n    patches:\n"
        );
        for patch in 0..10 {
            let _ =
                writeln!(text, "      - {{ select: 'main .c{patch} > a', text: 'Offer {route} {patch}' }}");
        }
    }
    text
}

/// What Envoy takes with one worker, and each worker more.
fn workers() -> Outcome<()> {
    let fed = format!(
        "{ONE_PATCH}growthbook: {{ fetch: {{ cluster: growthbook, authority: features.example, client_key: sdk-test }} }}\n"
    );
    let many = many_patches();
    let kinds = [
        ("without engraft", None),
        ("a route, a patch", Some(ONE_PATCH)),
        ("100 routes, 1000 patches", Some(many.as_str())),
        ("a payload of 1 MiB", Some(fed.as_str())),
    ];
    let mut table = Table::new(&["resident, MiB", "1 worker", "4 workers", "each worker"]);
    for (name, configuration) in kinds {
        let mut sizes = Vec::new();
        for workers in [1, 4] {
            let origin = Origin::start()?;
            origin.otherwise(|_| Reply::html("<h1>old</h1>"));
            origin.reply("/api/features/sdk-test", Reply::ok("application/json", payload::of(MEBIBYTE, 1)));
            let envoy = start(configuration, workers, &origin)?;
            warm(&envoy, workers)?;
            if configuration == Some(fed.as_str()) {
                // Every worker has one, and the main thread.
                envoy.wait_for("the payload in all VMs", || {
                    let count = envoy.stat("wasmcustom.engraft.payload.taken_over")?;
                    Ok((count > u64::from(workers)).then_some(()))
                })?;
            }
            sizes.push(resident(&envoy)?);
        }
        let [one, four] = sizes[..] else { return Err("two sizes".into()) };
        table.row(vec![name.to_owned(), mib(one), mib(four), mib((four - one) / 3)]);
    }
    show(&table)
}

/// A page in the middle of its body.
struct Kind {
    name: &'static str,
    configuration: Option<&'static str>,
    reply: Reply,
    /// How much of the body comes before the rest waits.
    first: usize,
}

const HELD: &str = "
version: 1
routes:
  - name: all
    patches: [{ select: main, append: <p>ours</p> }, { select: section, text: new }]
";

const WHOLE: &str = "
version: 1
routes:
  - name: all
    delivery: whole
    patches: [{ select: h1, text: new }]
";

const UNTOUCHED: &str = "
version: 1
routes:
  - name: all
    patches: [{ response_headers: { set: { x-seen: 'yes' } } }]
";

/// A page of so many bytes: paragraphs with links, no two alike.
fn page(bytes: usize) -> String {
    let mut page = "<h1>old</h1><main>".to_owned();
    for nth in 0.. {
        if page.len() >= bytes {
            break;
        }
        let word = nth * 2_654_435_761_u64 % 4_294_967_296;
        let _ =
            write!(page, "<div class=\"c{word:x}\"><p>Item {nth}: <a href=\"/i/{word}\">{word:x}</a></div>");
    }
    page
}

fn gzip(page: &[u8]) -> Outcome<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(page)?;
    Ok(encoder.finish()?)
}

fn br(page: &[u8]) -> Outcome<Vec<u8>> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
    encoder.write_all(page)?;
    Ok(encoder.into_inner())
}

fn kinds() -> Outcome<Vec<Kind>> {
    let page = page(60_000).into_bytes();
    let held = [b"<main>1</main><section>".as_slice(), &page].concat();
    let (zipped, brotli) = (gzip(&page)?, br(&page)?);
    let plain =
        |name, configuration| Kind { name, configuration, reply: Reply::html(page.clone()), first: 30_000 };
    let coded = |name, coding, body: Vec<u8>| Kind {
        name,
        configuration: Some(ONE_PATCH),
        first: body.len() / 2,
        reply: Reply::html(body).header("content-encoding", coding),
    };
    Ok(vec![
        plain("without engraft", None),
        plain("a route without patches of pages", Some(UNTOUCHED)),
        plain("edited as it streams", Some(ONE_PATCH)),
        Kind {
            name: "an element of 50 kB held",
            configuration: Some(HELD),
            reply: Reply::html(held),
            first: 50_000,
        },
        Kind { name: "`delivery: whole`, 50 kB held", first: 50_000, ..plain("", Some(WHOLE)) },
        coded("edited, from gzip", "gzip", zipped),
        coded("edited, from br", "br", brotli),
    ])
}

/// What pages take that are under way.
fn streams() -> Outcome<()> {
    let head = format!("{STREAMS} pages under way, KiB a page");
    let columns = ["in Envoy's heap", "in the VM", "there after them", "more, when they come again"];
    let mut table = Table::new(&[&[head.as_str()], columns.as_slice()].concat());
    for kind in kinds()? {
        let origin = Origin::start()?;
        origin.otherwise(|_| Reply::html("<h1>old</h1>"));
        let envoy = start(kind.configuration, 1, &origin)?;
        warm(&envoy, 1)?;
        let before = split(&envoy)?;
        let first = wave(&envoy, &origin, &kind)?;
        let after = split(&envoy)?;
        let again = wave(&envoy, &origin, &kind)?;
        let each = |kib: i64| (kib / i64::from(STREAMS)).to_string();
        table.row(vec![
            kind.name.to_owned(),
            each(first.heap - before.heap),
            each(first.outside - before.outside),
            each(after.outside - before.outside),
            each(again.outside - first.outside),
        ]);
    }
    show(&table)
}

/// Where the memory is when all pages have come so far; they end then.
fn wave(envoy: &Envoy, origin: &Origin, kind: &Kind) -> Outcome<Split> {
    const RECEIVED: &str = "cluster.origin.upstream_cx_rx_bytes_total";
    let addr = envoy.listener_addr("main")?;
    let gate = Gate::new();
    let pieces = Pieces::Sizes(vec![kind.first]);
    origin.reply("/page", kind.reply.clone().framing(Framing::Chunked).pieces(pieces).gate(&gate));
    let before = envoy.stat(RECEIVED)?;
    let mut connections =
        (0..STREAMS).map(|_| Connection::open(Http1, addr)).collect::<Result<Vec<_>, _>>()?;
    let all = u64::from(STREAMS) * u64::try_from(kind.first)?;
    std::thread::scope(|scope| -> Outcome<Split> {
        // A head that waits for its body comes when that does.
        let ask =
            |connection: &mut Connection| connection.fetch(&Request::get("/page")).map(|page| page.complete);
        let under_way: Vec<_> =
            connections.iter_mut().map(|connection| scope.spawn(move || ask(connection))).collect();
        let size = envoy.wait_for("the first part of all pages", || {
            Ok((envoy.stat(RECEIVED)? >= before + all).then_some(()))
        });
        let size = size.map_err(Into::into).and_then(|()| split(envoy));
        gate.open_for_good();
        for page in under_way {
            let complete = page.join().map_err(|_| "a client panicked")??;
            if !complete {
                return Err(format!("{}: a page did not come to its end", kind.name).into());
            }
        }
        size
    })
}
