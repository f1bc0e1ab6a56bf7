//! The files of the table.
//!
//! ```yaml
//! # Why this case is there, in a line.
//! attributes: {}                  # as in a configuration; shared by all cases, so one name has one meaning
//! route: { patches: [] }          # the route; its name, and the path prefix /<group>/<case>/, are added. Without it: no route
//! request:
//!   method: GET
//!   path: page?x=1                # below the prefix, or from / on
//!   host: shop.example
//!   headers: [[name, value]]
//! origin:
//!   status: 200
//!   type: text/html; charset=utf-8     # '' sends none
//!   headers: [[name, value]]
//!   body: text
//!   cut_everywhere: true          # the page may end after any byte of it, see `cut`
//! expect:
//!   status: 200                   # that of the origin, if nothing is said
//!   headers: { etag: null }       # what differs from the origin's: the exact value, or null where there is none any more
//!   body: text                    # or `unchanged: true`
//!   coding: gzip                  # the body is compared without it
//!   broken: true                  # the response breaks off, somewhere in the body or at its end
//!   asks_origin: true
//!   matches: true                 # whether the route is the request's
//!   origin_saw: { path: …, host: …, headers: {} }      # what differs from the request, in the same way
//!   report: { body: edited, patches: 0=1, redirected_by: …, counters: {} }
//! ```
//!
//! A body or a value of a header is a text or a list of pieces: texts, `{ bytes: "\xE9" }` (one byte for each character below
//! U+0100), `{ repeat: text, times: 1000 }`, `{ file: name }`, `{ coded: [gzip, br], body: … }`. The codings are `gzip`, `zlib`,
//! `deflate` (bare), `br` and `zstd`, the first one applied first; `keep: 20` leaves so many bytes, and `flip: -8` changes a bit of
//! one, counted from the end.
//!
//! In a header of the request, of what is expected and of what the origin saw, `<digest>` is the digest of what the patches
//! make of this visitor's page.
//!
//! The files are read by the core's own reader of configurations, so their scalars mean what those of a configuration mean.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engraft::config::source;
use engraft::engine::Engine;
use engraft_harness::workspace;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::coding::Coding;
use crate::core;
use crate::cut::{Cut, Seams};

/// Everything in `tests/data/cases`.
pub(crate) struct Table {
    pub(crate) cases: Vec<Arc<Case>>,
    pub(crate) documents: Vec<Document>,
}

/// A configuration, and whose cases it serves.
pub(crate) struct Document {
    /// The group; of the shared one, none.
    pub(crate) group: Option<String>,
    pub(crate) configuration: Value,
}

/// One file.
pub(crate) struct Case {
    /// `<group>/<case>`.
    pub(crate) name: String,
    pub(crate) request: Request,
    pub(crate) origin: Origin,
    pub(crate) expect: Expect,
    pub(crate) body: Vec<u8>,
    pub(crate) expected_body: Vec<u8>,
    /// The name of its route, if it has one.
    pub(crate) route: Option<String>,
    pub(crate) engine: Arc<Engine>,
    /// What of a page that ends early may be edited; of a case that is not cut, none.
    pub(crate) seams: Option<Seams>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    attributes: Map<String, Value>,
    route: Option<Map<String, Value>>,
    #[serde(default)]
    request: Request,
    #[serde(default)]
    origin: Origin,
    expect: Expect,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Request {
    pub(crate) method: String,
    path: String,
    pub(crate) host: String,
    headers: Vec<(String, Content)>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Origin {
    pub(crate) status: u16,
    #[serde(rename = "type")]
    content_type: String,
    headers: Vec<(String, Content)>,
    body: Content,
    cut_everywhere: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    pub(crate) status: Option<u16>,
    #[serde(default)]
    pub(crate) headers: Changes,
    body: Option<Content>,
    #[serde(default)]
    unchanged: bool,
    pub(crate) coding: Option<Coding>,
    #[serde(default)]
    pub(crate) broken: bool,
    #[serde(default = "yes")]
    pub(crate) asks_origin: bool,
    #[serde(default = "yes")]
    pub(crate) matches: bool,
    #[serde(default)]
    pub(crate) origin_saw: Saw,
    pub(crate) report: Option<Report>,
}

/// Headers that differ from those that were sent: their values, or `None` where there must be none.
pub(crate) type Changes = BTreeMap<String, Option<Values>>;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Saw {
    pub(crate) path: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) headers: Changes,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Report {
    pub(crate) body: String,
    #[serde(default)]
    pub(crate) patches: String,
    pub(crate) redirected_by: Option<String>,
    /// Some of those that are counted; natively only, as Envoy's are sums.
    #[serde(default)]
    pub(crate) counters: BTreeMap<String, u64>,
}

const fn yes() -> bool {
    true
}

impl Default for Request {
    fn default() -> Self {
        Self {
            method: "GET".to_owned(),
            path: "page".to_owned(),
            host: "shop.example".to_owned(),
            headers: Vec::new(),
        }
    }
}

impl Default for Origin {
    fn default() -> Self {
        Self {
            status: 200,
            content_type: "text/html; charset=utf-8".to_owned(),
            headers: Vec::new(),
            body: Content::default(),
            cut_everywhere: false,
        }
    }
}

/// The values of a header: one, or a list.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Value")]
pub(crate) struct Values(pub(crate) Vec<String>);

impl TryFrom<Value> for Values {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let text = |value: Value| match value {
            Value::String(text) => Ok(text),
            Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
            other => Err(format!("{other} is not a value of a header")),
        };
        match value {
            Value::Array(values) => values.into_iter().map(text).collect::<Result<_, _>>().map(Self),
            one => Ok(Self(vec![text(one)?])),
        }
    }
}

/// Bytes, as they are written in a file.
#[derive(Debug, Default, Deserialize)]
#[serde(try_from = "Value")]
struct Content(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    Bytes(Vec<u8>),
    File(String),
    Coded(Coded),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Coded {
    coded: Vec<Coding>,
    body: Content,
    keep: Option<usize>,
    flip: Option<isize>,
}

impl TryFrom<Value> for Content {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::Array(pieces) => pieces.into_iter().map(Piece::try_from).collect::<Result<_, _>>(),
            one => Piece::try_from(one).map(|piece| vec![piece]),
        }
        .map(Self)
    }
}

impl TryFrom<Value> for Piece {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "snake_case")]
        enum Written {
            Bytes(String),
            File(String),
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Repeat {
            repeat: String,
            times: usize,
        }
        let refused = |error: serde_json::Error| error.to_string();
        match value {
            Value::String(text) => Ok(Self::Bytes(text.into_bytes())),
            Value::Bool(_) | Value::Number(_) => Ok(Self::Bytes(value.to_string().into_bytes())),
            Value::Object(ref fields) if fields.contains_key("repeat") => {
                let Repeat { repeat, times } = serde_json::from_value(value).map_err(refused)?;
                Ok(Self::Bytes(repeat.repeat(times).into_bytes()))
            }
            Value::Object(ref fields) if fields.contains_key("coded") => {
                serde_json::from_value(value).map_err(refused).map(Self::Coded)
            }
            _ => match serde_json::from_value(value).map_err(refused)? {
                Written::Bytes(text) => {
                    let byte = |c: char| u8::try_from(c).map_err(|_| format!("{c:?} is not one byte"));
                    text.chars().map(byte).collect::<Result<_, _>>().map(Self::Bytes)
                }
                Written::File(name) => Ok(Self::File(name)),
            },
        }
    }
}

impl Content {
    fn read(&self, dir: &Path) -> Result<Vec<u8>, TableError> {
        Ok(self.read_pieces(dir)?.concat())
    }

    fn read_pieces(&self, dir: &Path) -> Result<Vec<Vec<u8>>, TableError> {
        let read = |piece: &Piece| match piece {
            Piece::Bytes(bytes) => Ok(bytes.clone()),
            Piece::File(name) => read(&dir.join(name)),
            Piece::Coded(coded) => coded.read(dir),
        };
        self.0.iter().map(read).collect()
    }

    /// As a value of a header; no file can stand there.
    fn bytes(&self) -> Vec<u8> {
        let bytes = self.0.iter().map(|piece| match piece {
            Piece::Bytes(bytes) => bytes.as_slice(),
            Piece::File(_) | Piece::Coded(_) => &[],
        });
        bytes.flatten().copied().collect()
    }
}

impl Coded {
    fn read(&self, dir: &Path) -> Result<Vec<u8>, TableError> {
        let body = self.body.read(dir)?;
        let coded = self.coded.iter().try_fold(body, |body, coding| coding.encode(&body));
        let mut bytes = coded.map_err(|error| TableError::new(dir, error))?;
        bytes.truncate(self.keep.unwrap_or(usize::MAX));
        if let Some(flip) = self.flip {
            let from = if flip < 0 { bytes.len() } else { 0 };
            let flipped = from.checked_add_signed(flip).and_then(|at| bytes.get_mut(at));
            *flipped.ok_or_else(|| TableError::new(dir, "`flip` is beyond the body"))? ^= 1;
        }
        Ok(bytes)
    }
}

impl Case {
    /// The request target.
    pub(crate) fn target(&self) -> String {
        self.below(&self.request.path)
    }

    /// A path that may be written below the prefix.
    pub(crate) fn below(&self, path: &str) -> String {
        if path.starts_with('/') { path.to_owned() } else { format!("/{}/{path}", self.name) }
    }

    /// The header lines of the request, without the host.
    pub(crate) fn request_headers(&self) -> Vec<(String, Vec<u8>)> {
        self.request.headers.iter().map(|(name, value)| (name.clone(), value.bytes())).collect()
    }

    /// The header lines of the origin's answer, without those of its framing.
    pub(crate) fn origin_headers(&self) -> Vec<(String, Vec<u8>)> {
        let mut headers = Vec::new();
        if !self.origin.content_type.is_empty() {
            headers.push(("content-type".to_owned(), self.origin.content_type.clone().into_bytes()));
        }
        headers.extend(self.origin.headers.iter().map(|(name, value)| (name.clone(), value.bytes())));
        headers
    }

    /// The page that the origin sends: all of it, or as far as it comes.
    pub(crate) fn page(&self, cut: Cut) -> &[u8] {
        self.body.get(..cut.end(self.body.len())).unwrap_or(&self.body)
    }

    /// Writes the digest wherever a header has a place for it.
    fn fill_in(&mut self, digest: &str) {
        const PLACE: &str = "<digest>";
        for piece in self.request.headers.iter_mut().flat_map(|(_, value)| &mut value.0) {
            if let Piece::Bytes(bytes) = piece
                && let Ok(text) = std::str::from_utf8(bytes)
            {
                *bytes = text.replace(PLACE, digest).into_bytes();
            }
        }
        let expected = [&mut self.expect.headers, &mut self.expect.origin_saw.headers];
        for value in
            expected.into_iter().flat_map(BTreeMap::values_mut).flatten().flat_map(|values| &mut values.0)
        {
            *value = value.replace(PLACE, digest);
        }
    }

    /// Whether answers of the origin have a body.
    pub(crate) fn has_body(&self) -> bool {
        self.request.method != "HEAD" && !matches!(self.origin.status, 204 | 304)
    }
}

impl Table {
    /// Reads every file.
    pub(crate) fn read() -> Result<Self, TableError> {
        let dir = workspace::root().join("tests/data/cases");
        let mut shared = Draft::new(None, json!({}));
        let mut drafts = Vec::new();
        for group in children(&dir)?.into_iter().filter(|path| path.is_dir()) {
            let own = group.join("group.yaml");
            let mut draft = Draft::new(Some(stem(&group)), json!({}));
            if own.exists() {
                draft.configuration = parse(&own)?;
            }
            let target = if own.exists() { &mut draft } else { &mut shared };
            for path in children(&group)? {
                let is_case = path.extension().is_some_and(|extension| extension == "yaml");
                if is_case && path != own {
                    target.add(format!("{}/{}", stem(&group), stem(&path)), path)?;
                }
            }
            drafts.push(draft);
        }
        drafts.push(shared);
        let mut table = Self { cases: Vec::new(), documents: Vec::new() };
        for draft in drafts.into_iter().filter(|draft| !draft.files.is_empty()) {
            draft.finish(&mut table)?;
        }
        table.cases.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(table)
    }
}

/// A configuration that is being put together.
struct Draft {
    group: Option<String>,
    configuration: Value,
    attributes: Map<String, Value>,
    routes: Vec<Value>,
    files: Vec<(String, PathBuf, File)>,
}

impl Draft {
    fn new(group: Option<String>, configuration: Value) -> Self {
        Self { group, configuration, attributes: Map::new(), routes: Vec::new(), files: Vec::new() }
    }

    fn add(&mut self, name: String, path: PathBuf) -> Result<(), TableError> {
        let file: File = parse(&path)?;
        for (attribute, definition) in &file.attributes {
            let known = self.attributes.entry(attribute).or_insert_with(|| definition.clone());
            if known != definition {
                let why = format!("another case has another attribute called {attribute}; rename one");
                return Err(TableError::new(&path, why));
            }
        }
        if let Some(mut route) = file.route.clone() {
            route.insert("name".to_owned(), json!(name.replace('/', "-")));
            let matches = route.entry("match").or_insert_with(|| json!({}));
            if let Some(matches) = matches.as_object_mut() {
                matches.entry("path").or_insert_with(|| json!({ "prefix": format!("/{name}/") }));
            }
            self.routes.push(Value::Object(route));
        }
        self.files.push((name, path, file));
        Ok(())
    }

    fn finish(self, table: &mut Table) -> Result<(), TableError> {
        let mut configuration = self.configuration;
        if let Some(fields) = configuration.as_object_mut() {
            fields.insert("version".to_owned(), json!(1));
            fields.insert("attributes".to_owned(), Value::Object(self.attributes));
            fields.insert("routes".to_owned(), Value::Array(self.routes));
        }
        let place = self.group.clone().unwrap_or_else(|| "the shared configuration".to_owned());
        let engine = Engine::load(configuration.to_string().as_bytes())
            .map_err(|problems| TableError::new(Path::new(&place), problems))?;
        let engine = Arc::new(engine.engine);
        for (name, path, file) in self.files {
            let engine = Arc::clone(&engine);
            table.cases.push(Arc::new(finish(name, &path, file, engine)?));
        }
        table.documents.push(Document { group: self.group, configuration });
        Ok(())
    }
}

fn finish(name: String, path: &Path, file: File, engine: Arc<Engine>) -> Result<Case, TableError> {
    let File { route, request, origin, expect, .. } = file;
    if route.is_some() && expect.report.is_none() && expect.matches {
        return Err(TableError::new(path, "a case with a route says what its `report` is"));
    }
    let dir = path.parent().unwrap_or(path);
    let body = origin.body.read(dir)?;
    let expected_body = match (&expect.body, expect.unchanged) {
        (Some(body), false) => body.read(dir)?,
        (None, true) => body.clone(),
        (None, false) => Vec::new(),
        (Some(_), true) => return Err(TableError::new(path, "`body` and `unchanged`; keep one")),
    };
    let seams = match (&expect.body, origin.cut_everywhere) {
        (_, false) => None,
        (Some(expected), true) => {
            let seams = Seams::new(origin.body.read_pieces(dir)?, expected.read_pieces(dir)?);
            Some(seams.map_err(|why| TableError::new(path, why))?)
        }
        (None, true) => return Err(TableError::new(path, "`cut_everywhere` without an expected `body`")),
    };
    let route = route.map(|_| name.replace('/', "-"));
    let mut case = Case { name, request, origin, expect, body, expected_body, route, engine, seams };
    let digest = core::digest(&case).map_err(|why| TableError::new(path, why))?;
    // Where there is none, what speaks of it expects what can't be.
    case.fill_in(&digest.unwrap_or_else(|| "<no digest>".to_owned()));
    Ok(case)
}

fn parse<T: DeserializeOwned>(path: &Path) -> Result<T, TableError> {
    let document = source::read(&read(path)?);
    document.and_then(|document| document.decode()).map_err(|problems| TableError::new(path, problems))
}

fn read(path: &Path) -> Result<Vec<u8>, TableError> {
    fs::read(path).map_err(|error| TableError::new(path, error))
}

fn children(dir: &Path) -> Result<Vec<PathBuf>, TableError> {
    let entries = fs::read_dir(dir).map_err(|error| TableError::new(dir, error))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    Ok(paths)
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A file that is not a case.
#[derive(Debug)]
pub(crate) struct TableError {
    path: PathBuf,
    why: String,
}

impl TableError {
    fn new(path: &Path, why: impl fmt::Display) -> Self {
        Self { path: path.to_path_buf(), why: why.to_string() }
    }
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.why)
    }
}

impl std::error::Error for TableError {}
