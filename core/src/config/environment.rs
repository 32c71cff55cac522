//! One environment for a run: what the sandbox registers counts for nothing, so nothing may pass from one to the other.

use super::{ConfigError, RouteTable, Settings};
use crate::environment::Environment;

impl Settings {
    /// The routes of a run: those of the environment that `[run] environment` names; else all of them, which then lead
    /// to one.
    ///
    /// # Errors
    /// [`ConfigError`] when they lead to both and none is named, or when none leads to the one that is named.
    pub fn routes_of_run(&self) -> Result<Vec<&RouteTable>, ConfigError> {
        let Some(wanted) = self.run.environment else {
            one_environment(self.routes.iter().map(|route| (route.part.name.as_str(), route.environment)))?;
            return Ok(self.routes.iter().collect());
        };
        let routes: Vec<&RouteTable> = self.routes.iter().filter(|route| route.environment == wanted).collect();
        if routes.is_empty() && !self.routes.is_empty() {
            let reason =
                format!("no [[route]] leads to {}; all lead to {}", in_words(wanted), in_words(wanted.other()));
            return Err(ConfigError::new(KEY, reason));
        }
        Ok(routes)
    }
}

const KEY: &str = "run.environment";

/// The environment that all of these routes (name, environment) lead to; nothing where there is no route.
///
/// # Errors
/// [`ConfigError`] when they lead to both.
pub fn one_environment<'a>(
    routes: impl Iterator<Item = (&'a str, Environment)>,
) -> Result<Option<Environment>, ConfigError> {
    let mut routes = routes.peekable();
    let Some((first, environment)) = routes.peek().copied() else { return Ok(None) };
    let Some((second, other)) = routes.find(|(_, of)| *of != environment) else { return Ok(Some(environment)) };
    Err(ConfigError::new(
        KEY,
        format!(
            "route `{first}` leads to {}, route `{second}` to {}, and what one of them registers is not registered in the \
             other; keep each in a configuration with a ledger of its own (--config FILE), or say which one is meant \
             (`environment = \"{environment}\"` under [run], or --environment {environment})",
            in_words(environment),
            in_words(other),
        ),
    ))
}

const fn in_words(environment: Environment) -> &'static str {
    match environment {
        Environment::Production => "production",
        Environment::Sandbox => "the sandbox",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn settings(environments: &[&str], named: Option<&str>) -> Settings {
        let route = |environment: &&str| json!({"name": format!("r-{environment}"), "plugin": "direct", "environment": environment});
        let routes: Vec<Value> = environments.iter().map(route).collect();
        Settings::from_value(json!({"route": routes, "run": {"environment": named}})).unwrap()
    }

    fn names(settings: &Settings) -> Result<Vec<&str>, String> {
        let routes = settings.routes_of_run().map_err(|error| error.to_string())?;
        Ok(routes.into_iter().map(|route| route.part.name.as_str()).collect())
    }

    #[test]
    fn routes_of_one_environment_are_all_of_a_run() {
        assert_eq!(names(&settings(&["sandbox"], None)).unwrap(), ["r-sandbox"]);
        assert_eq!(names(&settings(&[], None)).unwrap(), Vec::<&str>::new());
        assert_eq!(names(&settings(&[], Some("production"))).unwrap(), Vec::<&str>::new());
    }

    #[test]
    fn routes_of_both_are_refused_unless_one_is_named_and_the_others_are_left_out() {
        let refused = names(&settings(&["sandbox", "production"], None)).unwrap_err();
        assert!(refused.starts_with("run.environment: route `r-sandbox` leads to the sandbox"), "{refused}");
        assert!(refused.contains("--environment sandbox"), "{refused}");
        assert_eq!(names(&settings(&["sandbox", "production"], Some("production"))).unwrap(), ["r-production"]);
        let none = names(&settings(&["sandbox"], Some("production"))).unwrap_err();
        assert_eq!(none, "run.environment: no [[route]] leads to production; all lead to the sandbox");
    }
}
