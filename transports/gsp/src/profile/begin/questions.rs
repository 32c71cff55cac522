//! What providers differ in, as questions with their defaults.

use super::Answers;

/// One question about a provider.
#[derive(Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "the list of questions is the only place that makes them")]
pub struct Question {
    /// Its key, for files of answers.
    pub key: &'static str,
    /// The question.
    pub text: &'static str,
    /// What may be answered; empty where anything may.
    pub choices: &'static [&'static str],
    /// The answer where none is given.
    pub default: fn(&Answers) -> String,
    /// Whether it has a meaning after the answers so far.
    pub when: fn(&Answers) -> bool,
}

impl std::fmt::Debug for Question {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Question").field("key", &self.key).finish_non_exhaustive()
    }
}

const fn ask(
    key: &'static str,
    text: &'static str,
    choices: &'static [&'static str],
    default: fn(&Answers) -> String,
    when: fn(&Answers) -> bool,
) -> Question {
    Question { key, text, choices, default, when }
}

fn own(answers: &Answers) -> bool {
    answers.get("extends").is_empty()
}

/// The provider seals, so that the profile says how each operation is asked.
fn plain(answers: &Answers) -> bool {
    own(answers) && !answers.is("crypto", "nic")
}

fn logs_in(answers: &Answers) -> bool {
    plain(answers) && (answers.is("taxpayer", "login") || answers.is("taxpayer", "warm_up"))
}

fn by_token(answers: &Answers) -> bool {
    own(answers) && answers.is("provider_auth", "token")
}

fn yes(answers: &Answers) -> bool {
    let _ = answers;
    true
}

/// The questions, in the order in which they are asked.
pub const QUESTIONS: &[Question] = &[
    ask("title", "Name of the provider, and which of its interfaces this is", &[], |a| a.name().to_owned(), yes),
    ask(
        "extends",
        "Profile that this one changes (see `einvoice gsp list`); empty to begin anew",
        &[],
        |_| String::new(),
        yes,
    ),
    ask(
        "sandbox",
        "Address for tests, with what stands before every path",
        &[],
        |a| format!("https://sandbox.{}.example", a.name()),
        yes,
    ),
    ask("production", "Address of the real thing; empty if you do not know it yet", &[], |_| String::new(), yes),
    ask("systems", "Which systems does it carry?", &["both", "irp", "ewb"], |_| "both".to_owned(), own),
    ask(
        "crypto",
        "Who seals: the provider (plain), or we, by the portal's protocol (nic)?",
        &["plain", "nic"],
        |_| "plain".to_owned(),
        own,
    ),
    ask(
        "provider_auth",
        "How does the provider know its caller: fixed headers, fixed parameters, a token by a login, or not at all?",
        &["token", "headers", "query", "none"],
        |_| "headers".to_owned(),
        own,
    ),
    ask(
        "client_id_name",
        "Header or parameter with the client id; empty if there is none",
        &[],
        |_| "client_id".to_owned(),
        |a| own(a) && !a.is("provider_auth", "none"),
    ),
    ask(
        "client_secret_name",
        "Header or parameter with the client secret",
        &[],
        |_| "client_secret".to_owned(),
        |a| own(a) && !a.is("provider_auth", "none"),
    ),
    ask(
        "pair_per_system",
        "Is there a client pair for each of the two systems?",
        &["no", "yes"],
        |_| "no".to_owned(),
        own,
    ),
    ask(
        "lists_addresses",
        "Does it want to know the addresses that it is called from?",
        &["no", "yes"],
        |_| "no".to_owned(),
        own,
    ),
    ask(
        "token_http",
        "Method and path of the login to the provider",
        &[],
        |_| "POST /authenticate".to_owned(),
        by_token,
    ),
    ask(
        "token_placement",
        "Where do client id and secret stand in it?",
        &["header", "json", "form", "query"],
        |_| "json".to_owned(),
        by_token,
    ),
    ask("token_at", "Where does the token stand in the answer?", &[], |_| "/access_token".to_owned(), by_token),
    ask(
        "token_expires_at",
        "Where does its lifetime in seconds stand? Empty if nowhere",
        &[],
        |_| "/expires_in".to_owned(),
        by_token,
    ),
    ask("token_header", "Header that carries the token", &[], |_| "Authorization".to_owned(), by_token),
    ask(
        "token_prefix",
        "What stands before it there, as `Bearer`; empty for nothing",
        &[],
        |_| "Bearer".to_owned(),
        by_token,
    ),
    ask(
        "taxpayer",
        "Where is the taxpayer's API user: entered at the provider, in every call, in a login that brings a token, in a login that brings none, or in the portal's own login?",
        &["every_call", "login", "warm_up", "at_provider", "nic"],
        |a| if a.is("crypto", "nic") { "nic" } else { "every_call" }.to_owned(),
        own,
    ),
    ask("gstin_header", "Header with the GSTIN", &[], |_| "gstin".to_owned(), plain),
    ask(
        "user_header",
        "Header with the user name, for e-invoices",
        &[],
        |_| "user_name".to_owned(),
        |a| plain(a) && !a.is("taxpayer", "at_provider"),
    ),
    ask(
        "ewb_user_header",
        "The same for e-way bills",
        &[],
        |_| "username".to_owned(),
        |a| plain(a) && !a.is("taxpayer", "at_provider") && a.carries("ewb"),
    ),
    ask(
        "password_header",
        "Header with the password",
        &[],
        |_| "password".to_owned(),
        |a| plain(a) && !a.is("taxpayer", "at_provider"),
    ),
    ask(
        "login_http",
        "Method and path of the taxpayer's login",
        &[],
        |_| "POST /taxpayer/authenticate".to_owned(),
        logs_in,
    ),
    ask(
        "login_token_at",
        "Where does the taxpayer's token stand in the answer?",
        &[],
        |_| "/data/token".to_owned(),
        |a| plain(a) && a.is("taxpayer", "login"),
    ),
    ask(
        "login_token_header",
        "Header that carries it",
        &[],
        |_| "auth-token".to_owned(),
        |a| plain(a) && a.is("taxpayer", "login"),
    ),
    ask(
        "request_id_header",
        "Header with a number of its own for each request; empty if none is wanted",
        &[],
        |_| String::new(),
        own,
    ),
    ask("site_header", "Header that chooses the portal site; empty if there is none", &[], |_| String::new(), own),
    ask("accepted_at", "Where does an answer say yes or no?", &[], |_| "/success".to_owned(), plain),
    ask("accepted_is", "What stands there for a yes? Several with commas", &[], |_| "true,1".to_owned(), plain),
    ask("payload_at", "Where does the content stand?", &[], |_| "/data".to_owned(), plain),
    ask("payload_text", "Is it JSON inside of a text?", &["no", "yes"], |_| "no".to_owned(), plain),
    ask(
        "errors",
        "How do errors come: a list of objects with code and text, one text as `2150 : text`, or the portal's own envelope inside of the provider's?",
        &["list", "text", "nic"],
        |_| "list".to_owned(),
        plain,
    ),
    ask(
        "errors_at",
        "Where do they stand?",
        &[],
        |a| if a.is("errors", "text") { "/message" } else { "/errors" }.to_owned(),
        |a| plain(a) && !a.is("errors", "nic"),
    ),
    ask(
        "info_at",
        "Where do the portal's InfoDtls stand? Empty if they do not come",
        &[],
        |_| "/info".to_owned(),
        plain,
    ),
    ask(
        "irp_prefix",
        "What stands before the paths of the e-invoice system",
        &[],
        |_| "/einvoice".to_owned(),
        |a| plain(a) && a.carries("irp"),
    ),
    ask(
        "by_document",
        "Can a registration be read by its document?",
        &["yes", "no"],
        |_| "yes".to_owned(),
        |a| plain(a) && a.carries("irp"),
    ),
    ask(
        "ewb_prefix",
        "What stands before the paths of the e-way bill system",
        &[],
        |_| "/ewaybill".to_owned(),
        |a| plain(a) && a.carries("ewb"),
    ),
    ask(
        "ewb_action",
        "Where does the name of an e-way bill operation stand: in a parameter, or in the path?",
        &["query", "path"],
        |_| "query".to_owned(),
        |a| plain(a) && a.carries("ewb"),
    ),
];
