//! The macros by which a plugin crate registers its roles.

/// Registers an [`InvoiceSource`](crate::source::InvoiceSource).
///
/// ```ignore
/// einvoice_core::register_source! {
///     name: "tally",
///     summary: "Vouchers from Tally exports",
///     config: TallySourceConfig,
///     example: include_str!("../examples/source.toml"),
///     build: source::build, // async fn(BuildContext, TallySourceConfig) -> Result<Arc<dyn InvoiceSource>, BuildError>
/// }
/// ```
#[macro_export]
macro_rules! register_source {
    ($($body:tt)*) => { $crate::register_role! { dyn $crate::source::InvoiceSource; $($body)* } };
}

/// Registers a [`WriteBack`](crate::write_back::WriteBack) target. Same shape as
/// [`register_source!`](crate::register_source), and before `build` it may say how results reach the books, with the
/// settings that choose each way. `einvoice plugins NAME` shows them.
///
/// ```ignore
///     ways: &[WriteBackWay { settings: "", note: "a file beside the request" }],
/// ```
#[macro_export]
macro_rules! register_write_back {
    ($($body:tt)*) => { $crate::register_role! { dyn $crate::write_back::WriteBack; $($body)* } };
}

/// Registers a [`CredentialStore`](crate::credential::CredentialStore). Same shape as
/// [`register_source!`](crate::register_source).
#[macro_export]
macro_rules! register_credential_store {
    ($($body:tt)*) => { $crate::register_role! { dyn $crate::credential::CredentialStore; $($body)* } };
}

/// Registers a [`Ledger`](crate::ledger::Ledger). Same shape as
/// [`register_source!`](crate::register_source).
#[macro_export]
macro_rules! register_ledger {
    ($($body:tt)*) => { $crate::register_role! { dyn $crate::ledger::Ledger; $($body)* } };
}

/// Registers a [`Transport`](crate::transport::Transport). Same shape as
/// [`register_source!`](crate::register_source).
#[macro_export]
macro_rules! register_transport {
    ($($body:tt)*) => { $crate::register_role! { dyn $crate::transport::Transport; $($body)* } };
}

/// Registers a [`Template`](crate::registry::Template): an empty file of a form that a plugin reads.
///
/// ```ignore
/// einvoice_core::register_template! {
///     plugin: "spreadsheet",
///     variant: "compact",
///     summary: "An empty workbook with the headings most invoices need",
///     file_name: "invoices.xlsx",
///     make: template::compact, // fn() -> Result<Vec<u8>, BoxError>
/// }
/// ```
#[macro_export]
macro_rules! register_template {
    (
        plugin: $plugin:expr,
        variant: $variant:expr,
        summary: $summary:expr,
        file_name: $file_name:expr,
        make: $make:expr $(,)?
    ) => {
        $crate::registry::inventory::submit! {
            $crate::registry::Template {
                plugin: $plugin,
                variant: $variant,
                summary: $summary,
                file_name: $file_name,
                krate: env!("CARGO_PKG_NAME"),
                make: $make,
            }
        }
    };
}

/// The common part of the registration macros; use those instead.
#[doc(hidden)]
#[macro_export]
macro_rules! register_role {
    (@ways) => { &[] };
    (@ways $ways:expr) => { $ways };
    (
        $role:ty;
        name: $name:expr,
        summary: $summary:expr,
        config: $config:ty,
        example: $example:expr,
        $(ways: $ways:expr,)?
        build: $build:expr $(,)?
    ) => {
        $crate::registry::inventory::submit! {
            $crate::registry::Plugin::<$role> {
                name: $name,
                summary: $summary,
                krate: env!("CARGO_PKG_NAME"),
                schema: || $crate::registry::schemars::schema_for!($config),
                example: $example,
                ways: $crate::register_role!(@ways $($ways)?),
                build: |context, settings| {
                    ::std::boxed::Box::pin(async move {
                        let config: $config = $crate::registry::read_settings(&context, settings)?;
                        ($build)(context, config).await
                    })
                },
            }
        }
    };
}
