//! `credentials rotate`: a new secret takes the place of the old one only after it was accepted.
//!
//! 1. The new secret is kept beside the old one, which stays in use.
//! 2. It logs in; where a login reaches nobody who knows it, it reads.
//! 3. It takes the place of the old one.
//!
//! Stopped between two steps, the old one is in use and the new one waits; `--resume` goes on and `--forget` gives up.

use einvoice_core::credential::{CredentialEntry, CredentialError, CredentialScope};
use einvoice_core::environment::Product;
use einvoice_core::transport::{Reach, TransportError};
use serde_json::json;

use super::login::{By, Login};
use crate::arguments::CredentialRotate;
use crate::assemble::Assembly;
use crate::error::CliError;
use crate::output::Output;

pub(super) async fn run(
    arguments: &CredentialRotate,
    assembly: &Assembly,
    output: &mut Output,
) -> Result<(), CliError> {
    let scope = super::scope(&arguments.scope, assembly).await?;
    let store = assembly.credentials().await?;
    if !store.capability().keeps_facts {
        return Err(CliError::Credential(CredentialError::ReadOnly {
            store: format!("the credential store `{}`", assembly.settings().credentials.plugin),
            hint: "it keeps one secret for each entry, so a new one cannot wait beside the old: change it where the \
                   store takes it from, or use a store that rotates, such as credentials-file"
                .to_owned(),
        }));
    }
    if arguments.forget {
        store.drop_pending(&scope).await?;
        return told(output, "forgotten", &scope, "the new secret is forgotten; the old one stays in use");
    }
    let waiting = store.pending(&scope).await?;
    let login = login(arguments, &scope, assembly).await?;
    let entry = if arguments.resume {
        waiting
            .ok_or_else(|| CliError::Usage(format!("no new secret waits for the {scope}: rotate without --resume")))?
    } else {
        let old = match &scope {
            CredentialScope::Client(of) => CredentialEntry::Client(of.clone(), store.client(of).await?),
            CredentialScope::User(of) => CredentialEntry::User(of.clone(), store.api_user(of).await?),
        };
        let entry = super::asked_for(scope.clone(), arguments.scope.name.as_deref(), Some(&old))?;
        super::check_size(&entry, assembly).await?;
        store.put_pending(entry.clone()).await?;
        entry
    };
    let now = assembly.clock().now();
    match login.prove(Some(&entry), now).await {
        Ok(proven) => {
            store.promote(&entry).await?;
            let (session, by) = (proven.session.clone(), proven.by);
            login.note(&Ok(proven), now).await;
            login.keep(&session, output).await;
            let sentence = match by {
                By::Login => "the new secret has logged in and is in use",
                By::Read => "the new secret was accepted with a read and is in use",
            };
            told(output, "rotated", &scope, sentence)
        }
        Err(error) => {
            if is_about(&error, &scope) {
                // Tried again it would be refused again, and cost the account a login.
                store.drop_pending(&scope).await?;
                output.remark(format!(
                    "the {scope}: the new secret was refused and is forgotten; the old one stays in use"
                ));
            } else if matches!(error, TransportError::Unsupported { .. }) {
                output.remark(format!(
                    "the {scope}: this route cannot prove it, as its login asks nobody who knows it and it carries no read; \
                     the old one stays in use and the new one waits. `--forget` forgets it, `credentials add` takes one into \
                     use unproven"
                ));
            } else {
                output.remark(format!(
                    "the {scope}: the new secret could not be tried; the old one stays in use and the new one waits: \
                     `--resume` tries it again, `--forget` forgets it"
                ));
            }
            Err(error.into())
        }
    }
}

/// Whether the portal refused what is being rotated. A login uses a client pair and an API user, and a refusal of the one
/// says nothing of the other.
fn is_about(error: &TransportError, scope: &CredentialScope) -> bool {
    let is_refusal = matches!(error, TransportError::Refused { .. }) && !error.is_unreachable();
    let reach = match scope {
        CredentialScope::User(_) => Reach::Gstin,
        CredentialScope::Client(_) => Reach::Client,
    };
    is_refusal && error.reach() == reach
}

/// The login that proves the secret: that of the API user itself, or of a GSTIN that uses the client pair.
async fn login(arguments: &CredentialRotate, scope: &CredentialScope, assembly: &Assembly) -> Result<Login, CliError> {
    let table = super::route(Some(&arguments.scope.route), assembly)?;
    let gstin = arguments.scope.gstin.as_deref().ok_or_else(|| {
        CliError::Usage("a client pair is tried with a login: pass --gstin of a taxpayer that uses it".to_owned())
    })?;
    let product = match scope {
        CredentialScope::User(user) => user.product,
        CredentialScope::Client(_) => arguments.scope.product.map_or(Product::EInvoice, super::product),
    };
    let login = Login::new(super::gstin(gstin)?, product, table, assembly).await?;
    match scope {
        CredentialScope::Client(client) if client != login.client() => Err(CliError::Usage(format!(
            "--gstin {gstin} logs in with the {}, not with the {scope}: pass a GSTIN that uses this pair",
            CredentialScope::Client(login.client().clone())
        ))),
        _ => Ok(login),
    }
}

fn told(output: &mut Output, what: &str, scope: &CredentialScope, sentence: &str) -> Result<(), CliError> {
    if output.is_json() {
        return output.object(&json!({ what: scope.to_string() }));
    }
    output.line(format!("the {scope}: {sentence}"))
}
