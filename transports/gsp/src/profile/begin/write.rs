//! The answers as TOML, with a comment at each key.

use toml::Value;

use super::Answers;

/// The file, piece by piece.
struct Page(String);

impl Page {
    fn line(&mut self, text: impl AsRef<str>) {
        self.0.push_str(text.as_ref());
        self.0.push('\n');
    }

    fn blank(&mut self) {
        self.0.push('\n');
    }

    fn comment(&mut self, text: &str) {
        self.line(format!("# {text}"));
    }
}

/// A TOML text.
fn text(value: &str) -> String {
    Value::from(value).to_string()
}

/// An inline table of texts; entries without a name are left out.
fn table(entries: &[(String, String)]) -> String {
    let entries: Vec<String> = entries
        .iter()
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| format!("{} = {}", text(name), text(value)))
        .collect();
    if entries.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", entries.join(", ")) }
}

fn entry(name: String, value: &str) -> (String, String) {
    (name, value.to_owned())
}

pub(super) fn profile(answers: &Answers) -> String {
    let mut page = Page(String::new());
    head(answers, &mut page);
    environments(answers, &mut page);
    if !answers.get("extends").is_empty() {
        page.comment("What differs from the other profile stands below, under the same keys. Tables are laid over one");
        page.comment("another; lists are replaced whole.");
        return page.0;
    }
    provider(answers, &mut page);
    for (product, user) in [("irp", "user_header"), ("ewb", "ewb_user_header")] {
        if answers.carries(product) {
            system(answers, product, user, &mut page);
        }
    }
    meanings(answers, &mut page);
    page.0
}

fn head(answers: &Answers, page: &mut Page) {
    page.comment("A profile: how one provider is spoken to. `einvoice gsp check` tries it offline; the guide has a");
    page.comment("chapter on every key, and `einvoice gsp schema` a schema for editors. No secret has a place here:");
    page.comment("what stands in braces, as in {client_secret}, is filled in from the credential store.");
    page.line(format!("id = {}", text(answers.name())));
    page.line(format!("name = {}", text(&answers.get("title"))));
    page.comment("What a reader should know, in a sentence or two.");
    page.line("summary = \"Made from answers to questions; nothing of it has met the provider yet.\"");
    if !answers.get("extends").is_empty() {
        page.comment("The profile that this one changes.");
        page.line(format!("extends = {}", text(&answers.get("extends"))));
    }
    page.blank();
    page.comment("How sure each fact is. Move entries up as you confirm them.");
    page.line("[facts]");
    page.line("documented = []");
    page.line("client_code = []");
    page.line("unconfirmed = [\"Everything.\"]");
    page.blank();
}

fn environments(answers: &Answers, page: &mut Page) {
    page.comment(
        "Addresses: scheme, host, and what stands before every path. `irp` and `ewb` beside `common` name others",
    );
    page.comment("for one of the systems.");
    for environment in ["sandbox", "production"] {
        let address = answers.get(environment);
        if address.is_empty() {
            continue;
        }
        page.line(format!("[environments.{environment}]"));
        page.line(format!("common = {}", text(&address)));
        page.blank();
    }
}

fn provider(answers: &Answers, page: &mut Page) {
    let way = answers.get("provider_auth");
    let mut headers = Vec::new();
    let mut query = Vec::new();
    let pair = || {
        vec![
            entry(answers.get("client_id_name"), "{client_id}"),
            entry(answers.get("client_secret_name"), "{client_secret}"),
        ]
    };
    match way.as_str() {
        "headers" => headers.extend(pair()),
        "query" => query.extend(pair()),
        "token" => {
            let prefix = answers.get("token_prefix");
            let space = if prefix.is_empty() { "" } else { " " };
            headers.push(entry(answers.get("token_header"), &format!("{prefix}{space}{{provider_token}}")));
        }
        _ => {}
    }
    headers.push(entry(answers.get("request_id_header"), "{request_id}"));
    page.comment("How the provider knows its caller. The two texts tell people where the pair comes from.");
    page.line("[provider]");
    if way != "none" {
        page.line(format!("client_id = {}", text(&format!("{}, from the provider", answers.get("client_id_name")))));
        page.line(format!(
            "client_secret = {}",
            text(&format!("{}, from the provider", answers.get("client_secret_name")))
        ));
    }
    if answers.is("pair_per_system", "yes") {
        page.line("client_pair_per_product = true");
    }
    if answers.is("lists_addresses", "yes") {
        page.line("lists_addresses = true");
    }
    page.comment("Headers and parameters of every call, to either system.");
    page.line(format!("headers = {}", table(&headers)));
    page.line(format!("query = {}", table(&query)));
    page.blank();
    if way == "token" {
        page.comment("The login that brings {provider_token}.");
        page.line("[provider.login]");
        page.line(format!("http = {}", text(&answers.get("token_http"))));
        let place = answers.get("token_placement");
        let place = if place == "header" { "headers" } else { place.as_str() };
        page.line(format!("{place} = {}", table(&pair())));
        page.comment("What the answer is wrapped in: a yes is told from a no by the token being there.");
        page.line(format!(
            "reply = [{{ by = \"provider\", accepted = {{ at = {} }}, errors = [{{ at = \"/error\" }}, {{ at = \"/message\" }}] }}]",
            text(&answers.get("token_at"))
        ));
        page.line(format!("token = {}", text(&answers.get("token_at"))));
        if !answers.get("token_expires_at").is_empty() {
            page.line(format!("expires = {{ at = {}, unit = \"seconds\" }}", text(&answers.get("token_expires_at"))));
        }
        page.comment("Where the answer does not tell: a day, less a second.");
        page.line("lifetime_seconds = 86_399");
        page.blank();
    }
}

fn system(answers: &Answers, product: &str, user: &str, page: &mut Page) {
    let is_irp = product == "irp";
    page.comment(if is_irp { "The e-invoice system behind the provider." } else { "The e-way bill system behind it." });
    page.line(format!("[{product}]"));
    let site = entry(if is_irp { answers.get("site_header") } else { String::new() }, "{site}");
    if answers.is("crypto", "nic") {
        page.comment(
            "We seal, and log in by the portal's own protocol; the provider passes it on. Where its paths differ",
        );
        page.comment(&format!(
            "from the portal's, they stand under `{}`.",
            if is_irp { "endpoints" } else { "ewb_endpoints" }
        ));
        page.line("crypto = \"nic\"");
        page.line("taxpayer = \"nic\"");
        page.comment("Headers beside those of the portal's protocol.");
        page.line(format!("headers = {}", table(&[site])));
        page.blank();
        return;
    }
    let taxpayer = answers.get("taxpayer");
    // The portal's own login belongs to the portal's own sealing.
    let taxpayer = if taxpayer == "nic" { "every_call".to_owned() } else { taxpayer };
    let who = [entry(answers.get(user), "{user_name}"), entry(answers.get("password_header"), "{password}")];
    let mut headers = vec![entry(answers.get("gstin_header"), "{gstin}"), site];
    match taxpayer.as_str() {
        "every_call" => headers.extend(who.clone()),
        "login" => headers.push(entry(answers.get("login_token_header"), "{taxpayer_token}")),
        _ => {}
    }
    page.comment("The provider seals; content goes in the clear, over TLS.");
    page.line("crypto = \"plain\"");
    page.comment("Where the API user is: at_provider, every_call, login, warm_up, or nic.");
    page.line(format!("taxpayer = {}", text(&taxpayer)));
    page.line(format!("headers = {}", table(&headers)));
    page.comment("How an answer is taken out of what it is wrapped in, from the outside in.");
    page.line("reply = [");
    for layer in layers(answers) {
        page.line(format!("    {layer},"));
    }
    page.line("]");
    page.blank();
    if matches!(taxpayer.as_str(), "login" | "warm_up") {
        page.comment("The taxpayer's login.");
        page.line(format!("[{product}.login]"));
        page.line(format!("http = {}", text(&answers.get("login_http"))));
        page.line(format!("headers = {}", table(&who)));
        let accepted = accepted(answers);
        page.line(format!("reply = [{{ accepted = {accepted}, errors = [{}] }}]", error_rule(answers)));
        if taxpayer == "login" {
            page.line(format!("token = {}", text(&answers.get("login_token_at"))));
        }
        page.comment("Tokens of the portals live for six hours, in the sandbox for one.");
        page.line("lifetime_seconds = 21_600");
        page.line("sandbox_lifetime_seconds = 3_600");
        page.blank();
    }
    page.comment("What the provider carries. What is not here is refused before anything is sent.");
    page.line(format!("[{product}.operations]"));
    if is_irp {
        irp_operations(answers, page);
    } else {
        ewb_operations(answers, page);
    }
    page.blank();
}

fn accepted(answers: &Answers) -> String {
    let words: Vec<String> =
        answers.get("accepted_is").split(',').map(str::trim).filter(|word| !word.is_empty()).map(text).collect();
    format!("{{ at = {}, is = [{}] }}", text(&answers.get("accepted_at")), words.join(", "))
}

fn error_rule(answers: &Answers) -> String {
    let at = text(&if answers.is("errors", "nic") { "/message".to_owned() } else { answers.get("errors_at") });
    if answers.is("errors", "text") {
        format!("{{ at = {at}, split = \",\", pattern = '^(?<code>\\d{{3,4}})\\s*:\\s*(?<message>.*)$' }}")
    } else {
        format!("{{ at = {at} }}")
    }
}

fn layers(answers: &Answers) -> Vec<String> {
    let as_text = if answers.is("payload_text", "yes") { ", as_text = true" } else { "" };
    let accepted = accepted(answers);
    let payload = text(&answers.get("payload_at"));
    let info = answers.get("info_at");
    let info = if info.is_empty() { String::new() } else { format!(", info = {}", text(&info)) };
    let errors = error_rule(answers);
    if answers.is("errors", "nic") {
        return vec![
            format!(
                "{{ by = \"provider\", accepted = {accepted}, payload = {payload}{as_text}, errors = [{errors}] }}"
            ),
            "{ nic = true }".to_owned(),
        ];
    }
    vec![format!("{{ accepted = {accepted}, payload = {payload}{as_text}{info}, errors = [{errors}] }}")]
}

fn irp_operations(answers: &Answers, page: &mut Page) {
    let prefix = answers.get("irp_prefix");
    let operation = |name: &str, line: &str, rest: &str| {
        format!("{name} = {{ http = {}{rest} }}", text(&line.replacen(' ', &format!(" {prefix}"), 1)))
    };
    page.line(operation("generate_irn", "POST /invoice", ""));
    page.line(operation("cancel_irn", "POST /invoice/cancel", ""));
    page.line(operation("get_irn", "GET /invoice/{irn}", ""));
    if answers.is("by_document", "yes") {
        page.comment(
            "Settles what became of a document whose answer was lost. Without it the IRN is asked for, which is known",
        );
        page.comment("beforehand.");
        page.line(operation(
            "get_irn_by_document",
            "GET /invoice",
            ", query = { doctype = \"{document_type}\", docnum = \"{document_number}\", docdate = \"{document_date}\" }",
        ));
    }
    page.line(operation("generate_ewb_by_irn", "POST /ewaybill", ""));
    page.line(operation("get_ewb_by_irn", "GET /ewaybill/{irn}", ""));
    page.line(operation("gstin_details", "GET /gstin/{asked_gstin}", ""));
}

fn ewb_operations(answers: &Answers, page: &mut Page) {
    const WRITES: [&str; 12] = [
        "generate_ewb",
        "update_part_b",
        "update_transporter",
        "extend_validity",
        "consolidate_ewb",
        "regenerate_trip_sheet",
        "cancel_ewb",
        "reject_ewb",
        "start_multi_vehicle",
        "add_vehicle",
        "change_vehicle",
        "close_ewb",
    ];
    const READS: [&str; 4] = ["get_ewb", "get_ewb_by_document", "list_ewbs", "get_trip_sheet"];
    let prefix = answers.get("ewb_prefix");
    let (path, query) = if answers.is("ewb_action", "path") {
        (format!("{prefix}/{{action}}"), String::new())
    } else {
        (prefix, ", query = { action = \"{action}\" }".to_owned())
    };
    page.comment(
        "{action} is the portal's own name of the operation, as in GENEWAYBILL; {action|lower} writes it small.",
    );
    for name in WRITES {
        page.line(format!("{name} = {{ http = {}{query} }}", text(&format!("POST {path}"))));
    }
    page.comment("Reads carry the portal's own parameters.");
    for name in READS {
        page.line(format!("{name} = {{ http = {}{query}, portal_parameters = true }}", text(&format!("GET {path}"))));
    }
}

fn meanings(answers: &Answers, page: &mut Page) {
    page.comment(
        "What the provider's own codes and words ask of us; the first that fits counts. The portals' codes need no",
    );
    page.comment(
        "rule. Possible: reauth_provider, reauth_taxpayer, taxpayer_credentials, retry_later, unknown_outcome,",
    );
    page.comment("rate_limit, quota, ip_not_allowed, config, unsupported, sealing, duplicate, not_found, reject.");
    page.comment("[[codes]]");
    page.comment("code = \"GSP019\"");
    page.comment("is = \"quota\"");
    page.blank();
    page.comment("What an HTTP status asks where the body says nothing; `body` lets the body of a failure count.");
    let token = if answers.is("provider_auth", "token") { "reauth_provider" } else { "config" };
    for (status, is) in [(401, token), (429, "rate_limit")] {
        page.line("[[http]]");
        page.line(format!("status = {status}"));
        page.line(format!("is = {}", text(is)));
    }
}
