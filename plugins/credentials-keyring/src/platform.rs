//! The keyring of each system.

use std::collections::HashMap;
use std::sync::Arc;

use keyring_core::CredentialStore;

/// Opens the keyring of this user.
#[cfg(target_os = "linux")]
pub(crate) fn open() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

/// Opens the keyring of this user.
#[cfg(target_os = "macos")]
pub(crate) fn open() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

/// Opens the keyring of this user.
#[cfg(target_os = "windows")]
pub(crate) fn open() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(windows_native_keyring_store::Store::new()?)
}

/// Opens the keyring of this user.
#[cfg(not(any(target_os = "linux", target_os = "macos", target_os = "windows")))]
pub(crate) fn open() -> keyring_core::Result<Arc<CredentialStore>> {
    Err(keyring_core::Error::NotSupportedByStore("no keyring of this system is known".to_owned()))
}

/// What an entry is made with beside its name.
pub(crate) fn modifiers() -> HashMap<&'static str, &'static str> {
    // Otherwise an entry travels with a roaming profile, to machines that this one's lock does not reach.
    if cfg!(target_os = "windows") { HashMap::from([("persistence", "Local")]) } else { HashMap::new() }
}
