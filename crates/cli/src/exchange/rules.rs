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

impl Rules {
    /// Reads what is named; `None`, with what is wrong on standard error, where that can't be used.
    pub(crate) fn load(&self) -> Result<Option<InForce>, Failure> {
        let findings = Findings::of(&self.config.read()?);
        let Some(engine) = findings.engine else {
            output::to_stderr(|out, palette| findings.write(out, palette, &self.config.name()))?;
            return Ok(None);
        };
        let engine = Arc::new(engine);
        let Some(input) = &self.payload else { return Ok(Some(InForce { engine, live: None })) };
        match Live::read(&input.read()?, self.decryption_key.as_ref()) {
            Ok(live) => Ok(Some(InForce { engine, live: Some(Arc::new(live)) })),
            Err(error) => {
                let name = input.name();
                output::to_stderr(|out, palette| {
                    let style = palette.error;
                    writeln!(out, "{name}: {style}error:{style:#} {error}")
                })?;
                Ok(None)
            }
        }
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
