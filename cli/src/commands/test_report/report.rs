//! The report in the making: each case with what came of it, and the counts of each API.

use std::collections::BTreeSet;

use serde::Serialize;

use super::case::Case;
use super::context::Context;
use super::runner::obstacle;
use super::state::{Evidence, State};
use crate::arguments::Api;

/// Name of the mark in which the report says what it covers, for programs.
pub(super) const COVERAGE: &str = "einvoice-coverage";

/// What NIC asks of an application at least, of either kind and of each API.
pub(super) const WANTED: usize = 50;

/// A case and what came of it.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) case: &'a Case,
    pub(super) result: Result<&'a Evidence, String>,
    /// Whether the route cannot carry the case.
    pub(super) left_out: bool,
}

/// How a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    AsExpected,
    Different,
    NotRun,
    /// Not sent, and nothing that another run by this route would change.
    LeftOut,
}

impl Row<'_> {
    pub(super) fn standing(&self) -> Standing {
        match &self.result {
            Ok(evidence) if evidence.as_expected => Standing::AsExpected,
            Ok(_) => Standing::Different,
            Err(_) if self.left_out => Standing::LeftOut,
            Err(_) => Standing::NotRun,
        }
    }

    /// What the portal did, in a word and its codes.
    pub(super) fn got(&self) -> String {
        match &self.result {
            Ok(evidence) if evidence.accepted => "success".to_owned(),
            Ok(evidence) if evidence.codes.is_empty() => "no answer".to_owned(),
            Ok(evidence) => evidence.codes.join(", "),
            Err(_) => String::new(),
        }
    }

    /// What was said: by the portal, and beside it.
    pub(super) fn said(&self) -> String {
        match &self.result {
            Ok(evidence) => {
                let parts = [Some(evidence.message.as_str()), evidence.note.as_deref()];
                parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
            }
            Err(reason) => reason.clone(),
        }
    }
}

impl Standing {
    pub(super) const fn in_words(self) -> &'static str {
        match self {
            Self::AsExpected => "as expected",
            Self::Different => "DIFFERENT",
            Self::NotRun => "not run",
            Self::LeftOut => "left out",
        }
    }
}

/// The counts of an API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    /// Cases that should succeed, and did.
    pub(super) succeeded: usize,
    /// Cases that should fail, and did with a code that was expected.
    pub(super) failed_as_expected: usize,
    /// Different codes with which they did.
    pub(super) distinct_codes: usize,
    /// Cases whose outcome was another.
    pub(super) different: usize,
    /// Cases that were not sent yet.
    pub(super) not_run: usize,
    /// Cases that the route cannot carry.
    pub(super) left_out: usize,
}

impl Counts {
    pub(super) fn of(rows: &[Row<'_>]) -> Self {
        let mut counts = Self::default();
        let mut codes: BTreeSet<&str> = BTreeSet::new();
        for row in rows {
            match (&row.result, row.standing()) {
                (_, Standing::NotRun) => counts.not_run += 1,
                (_, Standing::LeftOut) => counts.left_out += 1,
                (_, Standing::Different) => counts.different += 1,
                (Ok(evidence), _) if evidence.accepted => counts.succeeded += 1,
                (Ok(evidence), _) => {
                    counts.failed_as_expected += 1;
                    codes.extend(evidence.codes.iter().map(String::as_str));
                }
                (Err(_), _) => {}
            }
        }
        counts.distinct_codes = codes.len();
        counts
    }

    /// The figures, in the order of the columns of every table of them.
    pub(super) const fn in_a_row(&self) -> [usize; 6] {
        [self.succeeded, self.failed_as_expected, self.distinct_codes, self.different, self.not_run, self.left_out]
    }

    /// Whether the API has as many cases of either kind as NIC asks for.
    pub(super) const fn is_enough(&self) -> bool {
        self.succeeded >= WANTED && self.failed_as_expected >= WANTED
    }
}

/// Everything a report shows.
#[derive(Debug)]
pub(super) struct Report<'a> {
    pub(super) gstin: String,
    pub(super) route: String,
    /// Where the calls went: the site, as the route names it.
    pub(super) site: String,
    pub(super) run: String,
    pub(super) started: String,
    /// When it was written, IST.
    pub(super) written: String,
    /// Whether the portal was an emulator.
    pub(super) rehearsal: bool,
    pub(super) sections: Vec<Section<'a>>,
}

impl Report<'_> {
    /// What it covers, for programs: `AUTH=60/55,IRN=80/120`, each API with the cases that succeeded and those that failed
    /// as expected.
    pub(super) fn coverage(&self) -> String {
        let line = |section: &Section<'_>| {
            let counts = &section.counts;
            format!("{}={}/{}", section.api.prefix(), counts.succeeded, counts.failed_as_expected)
        };
        self.sections.iter().map(line).collect::<Vec<_>>().join(",")
    }
}

impl Report<'_> {
    /// Whose report it is, of what and when, each with its name.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let rows = || self.sections.iter().flat_map(|section| &section.rows);
        let count = |standing: Standing| rows().filter(|row| row.standing() == standing).count();
        let calls = || rows().filter_map(|row| Some(row.result.as_ref().ok()?.at.as_str()));
        let environment = if self.rehearsal { "an emulator" } else { "sandbox" };
        vec![
            ("GSTIN", self.gstin.clone()),
            ("Environment", format!("{environment}, site {}", self.site)),
            ("Route", self.route.clone()),
            ("Run", format!("{}, begun {} IST", self.run, self.started)),
            ("First call", calls().min().map(|at| format!("{at} IST")).unwrap_or_default()),
            ("Last call", calls().max().map(|at| format!("{at} IST")).unwrap_or_default()),
            (
                "Cases",
                format!(
                    "{}: {} as expected, {} different, {} not run, {} left out",
                    rows().count(),
                    count(Standing::AsExpected),
                    count(Standing::Different),
                    count(Standing::NotRun),
                    count(Standing::LeftOut)
                ),
            ),
            ("Written", format!("{} IST, by einvoice {}", self.written, env!("CARGO_PKG_VERSION"))),
        ]
    }

    /// The counts of all APIs together, but for the codes, which APIs share.
    pub(super) fn totals(&self) -> [usize; 5] {
        let sum = |of: fn(&Counts) -> usize| self.sections.iter().map(|section| of(&section.counts)).sum();
        [
            sum(|counts| counts.succeeded),
            sum(|counts| counts.failed_as_expected),
            sum(|counts| counts.different),
            sum(|counts| counts.not_run),
            sum(|counts| counts.left_out),
        ]
    }

    /// What a reader must know before the figures.
    pub(super) fn remarks(&self) -> Vec<String> {
        let rehearsal = self.rehearsal.then(|| REHEARSAL.to_owned());
        [rehearsal, self.incomplete(), self.left_out()].into_iter().flatten().collect()
    }

    /// That the route cannot carry some cases.
    fn left_out(&self) -> Option<String> {
        let rows = || self.sections.iter().flat_map(|section| &section.rows);
        let left_out = rows().filter(|row| row.standing() == Standing::LeftOut).count();
        (left_out > 0).then(|| {
            format!(
                "{left_out} of {} cases are left out, since the provider between does not pass such requests on; each \
                 one's row says what it is about.",
                rows().count()
            )
        })
    }

    /// That cases are missing, where some are.
    fn incomplete(&self) -> Option<String> {
        let rows = || self.sections.iter().flat_map(|section| &section.rows);
        let missing = rows().filter(|row| row.standing() == Standing::NotRun).count();
        (missing > 0).then(|| {
            format!(
                "INCOMPLETE: {missing} of {} cases were not sent; each one's row says why. What a run has not come to yet \
                 is sent when the same command is given again.",
                rows().count()
            )
        })
    }
}

/// The part of an API.
#[derive(Debug)]
pub(super) struct Section<'a> {
    pub(super) api: Api,
    pub(super) rows: Vec<Row<'a>>,
    pub(super) counts: Counts,
}

/// What both forms of the report say of themselves.
pub(super) const ABOUT: &str = "Evidence of the tests of each API in the sandbox, for the application for production. \
                                NIC asks for at least 50 succeeding and 50 failing cases of each API with different \
                                errors. The form of NIC's own test summary is not public: copy the counts into the one \
                                that the portal gives you, and attach this report.";

/// What a report of the emulator says of itself beside that.
const REHEARSAL: &str = "A REHEARSAL: this ran against an emulator, the one in einvoice or one on this machine. It shows \
                         that the program is ready, and is no evidence of tests at NIC.";

/// Sorts what came of the cases by API.
pub(super) fn sections<'a>(cases: &[&'a Case], context: &Context, state: &'a State) -> Vec<Section<'a>> {
    let of = |api: Api| {
        let mut of_api: Vec<&'a Case> = cases.iter().copied().filter(|case| case.api == api).collect();
        of_api.sort_by(|one, other| (!one.should_succeed(), &one.id).cmp(&(!other.should_succeed(), &other.id)));
        let rows: Vec<Row<'a>> = of_api.into_iter().map(|case| row(case, context, state)).collect();
        let counts = Counts::of(&rows);
        Section { api, rows, counts }
    };
    Api::ALL.into_iter().map(of).filter(|section| !section.rows.is_empty()).collect()
}

fn row<'a>(case: &'a Case, context: &Context, state: &'a State) -> Row<'a> {
    let result = state
        .done
        .get(&case.id)
        .ok_or_else(|| obstacle(case, context, state).unwrap_or_else(|| "the run has not come to it yet".to_owned()));
    Row { case, result, left_out: context.left_out.contains_key(&case.id) }
}
