//! What the origin answers, what the configurations make of it, and what must come of both: put together from the same parts by plain
//! texts, so that nothing of engraft is asked what is right.

use std::fmt;
use std::io::Write as _;
use std::time::Duration;

use engraft_harness::origin::{Framing, Pieces, ReceivedRequest, Reply, Then};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::random::Random;

/// What an answer has that is the origin's own, whatever its status.
pub(crate) const OF_THE_ORIGIN: &str = "x-origin";
/// How long a download is.
pub(crate) const DOWNLOAD_BYTES: usize = 8 << 20;
/// What is served between 0 and this.
const ASSET_BYTES: usize = 64 << 10;

/// The `n`th configuration that can be used. All of them edit the same places, and write their number there.
pub(crate) fn configuration(n: usize) -> Value {
    json!({
        "version": 1,
        "visitor": { "id": { "cookie": "id", "never_mint": true } },
        "attributes": { "name": { "cookie": "name" } },
        "experiments": { "hero": { "variations": ["control", "bold"] } },
        "routes": [
            { "name": "moved", "match": { "path": { "prefix": "/moved/" } }, "patches": [
                { "redirect": { "to": format!("/to/{n}/"), "status": 302 } },
            ] },
            { "name": "api", "match": { "path": { "prefix": "/api/" } }, "patches": [
                { "json": "body", "set": { "/greeting": format!("{n} for {{{{ name }}}}") } },
            ] },
            { "name": "pages", "match": { "path": { "prefix": "/p/" } }, "patches": [
                { "select": "h1", "text": format!("{n} for {{{{ name }}}}") },
                { "select": "p.lead", "variant": { "hero": "bold" }, "class": { "add": ["bold"] } },
                { "select": "b", "all": true, "attributes": { "set": { "title": format!("{n}") } } },
                { "select": "footer", "prepend": format!("<i>{n} for {{{{ name }}}}</i>") },
            ] },
        ],
    })
}

/// A configuration that can't be used.
pub(crate) fn mistake(n: usize) -> Value {
    json!({ "version": 1, "routes": [{ "name": format!("bad-{n}"), "patches": [{ "select": "h1 +", "text": "x" }] }] })
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Visitor(pub(crate) usize);

impl Visitor {
    pub(crate) fn cookie(self) -> String {
        format!("id=visitor-{0}; name=Ada & <{0}>", self.0)
    }

    fn escaped_name(self) -> String {
        format!("Ada &amp; &lt;{}&gt;", self.0)
    }
}

/// A page, by how often its middle part is repeated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    pub(crate) repeats: usize,
}

impl Page {
    /// As the origin has it.
    pub(crate) fn source(self) -> String {
        self.written("Hello", "lead", "", "")
    }

    /// As the `n`th configuration makes it.
    pub(crate) fn edited(self, n: usize, visitor: Visitor, is_bold: bool) -> String {
        let greeting = format!("{n} for {}", visitor.escaped_name());
        let lead = if is_bold { "lead bold" } else { "lead" };
        self.written(&greeting, lead, &format!(" title=\"{n}\""), &format!("<i>{greeting}</i>"))
    }

    fn written(self, heading: &str, lead: &str, title: &str, note: &str) -> String {
        let middle =
            format!("<p><b{title}>and</b> so on &amp; on</p>\n<!-- <b>no</b> -->\n").repeat(self.repeats);
        format!(
            "<!doctype html>\n<html><head><title>A page</title><script>if (1 <b> 2) {{}}</script></head><body>\n<h1>{heading}</h1>\n\
             <p class=\"{lead}\">First</p>\n{middle}<footer>{note}the end</footer>\n</body></html>\n"
        )
    }
}

/// What is in the body of the API.
pub(crate) fn answer(greeting: Option<(usize, Visitor)>, repeats: usize) -> String {
    let items = "{\"id\": 1, \"tags\": [\"a\", 1.50]},\n ".repeat(repeats);
    // As JSON that may stand in a page: nothing in it looks like markup.
    let name = |Visitor(name)| format!("Ada \\u0026 \\u003c{name}\\u003e");
    let greeting =
        greeting.map_or_else(|| "Hello".to_owned(), |(n, visitor)| format!("{n} for {}", name(visitor)));
    format!("{{\"greeting\": \"{greeting}\", \"items\": [{items}null]}}")
}

/// Pages that no patch finds anything in, each bad in another way: they pass.
pub(crate) const HOSTILE: usize = 5;

pub(crate) fn hostile(which: usize) -> Vec<u8> {
    match which {
        0 => "<div>".repeat(20_000).into_bytes(),
        1 => b"<!doctype html><p>a<!-- <h1>never ends".to_vec(),
        2 => [b"<p>".as_slice(), &[0xff, 0xc0, 0x00, 0x80].repeat(500), b"</p>"].concat(),
        3 => format!("<p {}>x", "a=\"&amp;<h1>\" ".repeat(4000)).into_bytes(),
        _ => format!("<svg><title>{}</title></svg><textarea><h1>no</h1>", "<![CDATA[x]]>".repeat(2000))
            .into_bytes(),
    }
}

/// Bytes that look like nothing.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut random = Random::new(length as u64, 0);
    let mut bytes: Vec<u8> =
        std::iter::repeat_with(|| random.next().to_le_bytes()).take(length / 8 + 1).flatten().collect();
    bytes.truncate(length);
    bytes
}

/// How the origin says something: all of it is in the target, so that whoever asks knows what comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Manner {
    pub(crate) framing: Framing,
    pub(crate) is_zipped: bool,
    /// From which its pieces come; 0 for one piece.
    pub(crate) cuts: u64,
    pub(crate) delay_ms: u64,
    /// In thousandths of the body; from 1000 on it does not.
    pub(crate) breaks_off_at: usize,
    pub(crate) by_reset: bool,
    pub(crate) has_trailers: bool,
}

impl Manner {
    pub(crate) const PLAIN: Self = Self {
        framing: Framing::ContentLength,
        is_zipped: false,
        cuts: 0,
        delay_ms: 0,
        breaks_off_at: 1000,
        by_reset: false,
        has_trailers: false,
    };

    /// Any way that brings the whole of it.
    pub(crate) fn any(random: &mut Random) -> Self {
        let framing =
            random.of(Framing::ContentLength, [Framing::Chunked, Framing::Chunked, Framing::CloseDelimited]);
        let cuts = if random.one_in(3) { 0 } else { random.next() | 1 };
        Self { framing, is_zipped: random.one_in(4), cuts, ..Self::PLAIN }
    }

    fn read(target: &str) -> Self {
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let value = |name: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.into_iter().find_map(|(key, value)| (key == name).then_some(value)).unwrap_or_default()
        };
        Self {
            framing: match value("framing") {
                "chunked" => Framing::Chunked,
                "close" => Framing::CloseDelimited,
                _ => Framing::ContentLength,
            },
            is_zipped: value("zip") == "true",
            cuts: value("cuts").parse().unwrap_or_default(),
            delay_ms: value("delay").parse().unwrap_or_default(),
            breaks_off_at: value("breaks").parse().unwrap_or(1000),
            by_reset: value("reset") == "true",
            has_trailers: value("trailers") == "true",
        }
    }

    fn reply(self, status: u16, content_type: &str, body: Vec<u8>) -> Reply {
        let body = if self.is_zipped { zipped(&body) } else { body };
        let length = body.len();
        let mut reply =
            Reply::new(status, body).header("content-type", content_type).header(OF_THE_ORIGIN, "1");
        reply = reply
            .header("etag", "\"as-ever\"")
            .framing(self.framing)
            .delay(Duration::from_millis(self.delay_ms));
        if self.is_zipped {
            reply = reply.header("content-encoding", "gzip");
        }
        if self.cuts != 0 {
            let mut random = Random::new(self.cuts, 0);
            let largest = (length / 12).max(2);
            let sizes = std::iter::repeat_with(|| 1 + random.below(largest)).take(64);
            reply = reply.pieces(Pieces::Sizes(sizes.collect()));
        }
        if self.has_trailers {
            reply = reply.header("trailer", "x-sum").trailer("x-sum", "1");
        }
        if self.breaks_off_at < 1000 {
            let at = length * self.breaks_off_at / 1000;
            reply = reply.then(if self.by_reset { Then::ResetAfter(at) } else { Then::CloseAfter(at) });
        }
        reply
    }
}

impl fmt::Display for Manner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let framing = match self.framing {
            Framing::Chunked => "chunked",
            Framing::CloseDelimited => "close",
            _ => "length",
        };
        let Self { is_zipped, cuts, delay_ms, breaks_off_at, by_reset, has_trailers, .. } = self;
        write!(
            f,
            "framing={framing}&zip={is_zipped}&cuts={cuts}&delay={delay_ms}&breaks={breaks_off_at}&reset={by_reset}&trailers={has_trailers}"
        )
    }
}

fn zipped(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail.
    let _ = encoder.write_all(body);
    encoder.finish().unwrap_or_default()
}

/// What the origin answers.
pub(crate) fn reply(request: &ReceivedRequest) -> Reply {
    let manner = Manner::read(&request.target);
    let mut names = request.path().split('/').skip(1);
    let (kind, name) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
    let number: usize = name.parse().unwrap_or_default();
    let html = "text/html; charset=utf-8";
    match kind {
        "p" if name == "hostile" => manner.reply(
            200,
            html,
            hostile(names.next().and_then(|which| which.parse().ok()).unwrap_or_default()),
        ),
        "p" | "plain" => manner.reply(200, html, Page { repeats: number }.source().into_bytes()),
        "api" => manner.reply(200, "application/json", answer(None, number).into_bytes()),
        "asset" => manner.reply(200, "image/webp", noise(number % ASSET_BYTES)),
        "download" => manner.reply(200, "application/octet-stream", noise(DOWNLOAD_BYTES)),
        "echo" => manner.reply(200, "application/octet-stream", request.body.clone()),
        "status" => {
            manner.reply(u16::try_from(number).unwrap_or(500), "text/plain", b"as the origin says\n".to_vec())
        }
        _ => manner.reply(404, "text/plain", b"no such path\n".to_vec()),
    }
}
