//! A configuration and a payload, read and compiled.

use std::sync::Arc;

use engraft::config::model::Stage;
use engraft::engine::Engine;
use engraft::live::Live;

use super::args::Rules;
use crate::check::Findings;
use crate::failure::Failure;
use crate::output;

/// What exchanges are run by.
#[derive(Debug)]
pub(crate) struct InForce {
    pub(crate) engine: Arc<Engine>,
    pub(crate) live: Option<Arc<Live>>,
}

/// A configuration and a payload that can be used, whichever stage is asked for.
#[derive(Debug)]
pub(crate) struct Compiled {
    /// As it was read.
    pub(crate) configuration: Vec<u8>,
    pub(crate) engine: Engine,
    pub(crate) live: Option<Arc<Live>>,
}

/// Compiles a configuration; `None`, with what is wrong on standard error, where that can't be used.
pub(crate) fn engine(name: &str, configuration: &[u8]) -> Result<Option<Engine>, Failure> {
    let findings = Findings::of(configuration);
    if findings.engine.is_none() {
        output::to_stderr(|out, palette| findings.write(out, palette, name))?;
    }
    Ok(findings.engine)
}

impl Rules {
    /// Reads and compiles what is named; `None`, with what is wrong on standard error, where that can't be used.
    pub(crate) fn compile(&self) -> Result<Option<Compiled>, Failure> {
        let configuration = self.config.read()?;
        let Some(engine) = engine(&self.config.name(), &configuration)? else { return Ok(None) };
        let Some(input) = &self.payload else {
            return Ok(Some(Compiled { configuration, engine, live: None }));
        };
        match Live::read(&input.read()?, self.decryption_key.as_ref()) {
            Ok(live) => Ok(Some(Compiled { configuration, engine, live: Some(Arc::new(live)) })),
            Err(error) => {
                output::to_stderr(|out, palette| output::refused(out, palette, &input.name(), &error))?;
                Ok(None)
            }
        }
    }

    /// The same, ready for exchanges.
    pub(crate) fn load(&self) -> Result<Option<InForce>, Failure> {
        let compiled = self.compile()?;
        Ok(compiled.map(|Compiled { engine, live, .. }| InForce { engine: Arc::new(engine), live }))
    }

    /// The same for what is to be explained.
    ///
    /// # Errors
    /// [`Failure::OriginStage`], which explains nothing: it knows no visitor.
    pub(crate) fn load_for_visitors(&self) -> Result<Option<InForce>, Failure> {
        let loaded = self.load()?;
        match &loaded {
            Some(InForce { engine, .. }) if engine.stage() == Stage::Origin => {
                Err(Failure::OriginStage { name: self.config.name() })
            }
            _ => Ok(loaded),
        }
    }
}
