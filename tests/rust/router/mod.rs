//! The router held to a slow, obvious one.

mod oracle;

use oracle::Answer;
use proptest::prelude::*;
use secval::policy::router::{Found, Route, Router};

/// A template of few letters, so that templates meet.
fn template() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        3 => "[ab]{1,2}",
        3 => Just("{}".to_owned()),
        1 => "[ab-]{0,2}\\{\\}[ab-]{0,2}",
        1 => "[ab]?\\{\\}[-b]\\{\\}a?",
        1 => "\\{\\}-\\{\\}-\\{\\}",
    ];
    (proptest::collection::vec(segment, 1..4), 0u8..8).prop_map(|(segments, slash)| {
        let mut number = 0;
        let mut named = String::new();
        for part in format!("/{}", segments.join("/")).split("{}") {
            if number > 0 {
                named += &format!("{{p{number}}}");
            }
            named += part;
            number += 1;
        }
        if slash == 0 { named + "/" } else { named }
    })
}

fn method() -> impl Strategy<Value = String> {
    prop_oneof!["GET", "PUT", "HEAD"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn finds_what_the_oracle_finds(
        routes in proptest::collection::vec((method(), template()), 1..8),
        asked in proptest::collection::vec((method(), "/[ab-]{1,5}(/[ab-]{1,5}){0,2}/?"), 1..20),
    ) {
        let list = routes.iter().enumerate().map(|(operation, (method, template))| {
            Route { method: method.clone(), template: template.clone(), operation }
        });
        // Two that are the same: for the test of faults.
        let Ok(router) = Router::new(list) else { return Ok(()) };
        for (method, path) in &asked {
            check(&router, &routes, method, path)?;
        }
    }
}

fn check(
    router: &Router,
    routes: &[(String, String)],
    method: &str,
    path: &str,
) -> Result<(), TestCaseError> {
    let found = match router.find(method, path) {
        Found::Operation { operation, captures } => {
            Answer::Operation(operation, captures.into_iter().map(str::to_owned).collect())
        }
        Found::MethodUnknown { methods } => {
            Answer::MethodUnknown(methods.iter().map(|(method, _)| method.clone()).collect())
        }
        Found::Unknown => Answer::Unknown,
    };
    match oracle::find(routes, method, path) {
        Answer::Unclear(_) if found == Answer::Unknown => {}
        Answer::Unclear(rest) => prop_assert_eq!(found, *rest, "{} {}", method, path),
        answer => prop_assert_eq!(found, answer, "{} {}", method, path),
    }
    Ok(())
}
