//! Any templates and any paths: the router finds what a slow, obvious one finds.

#![no_main]

#[path = "../../rust/router/oracle.rs"]
mod oracle;

use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use oracle::Answer;
use secval::policy::router::{Found, Route, Router};

/// Few characters, so that templates and paths meet; one of several bytes.
const TEXT: &[char] = &['a', 'b', '-', '.', 'é'];

#[derive(Debug)]
struct Api {
    routes: Vec<(String, String)>,
    asked: Vec<(String, String)>,
}

fn method(u: &mut Unstructured<'_>) -> Result<String> {
    Ok((*u.choose(&["GET", "PUT", "HEAD", "get"])?).to_owned())
}

fn text(u: &mut Unstructured<'_>, most: usize) -> Result<String> {
    (0..u.int_in_range(0..=most)?).map(|_| u.choose(TEXT).copied()).collect()
}

fn template(u: &mut Unstructured<'_>) -> Result<String> {
    let mut template = String::new();
    let mut parameters = 0;
    for _ in 0..u.int_in_range(1..=4u8)? {
        template.push('/');
        for _ in 0..u.int_in_range(0..=3u8)? {
            if u.arbitrary()? {
                parameters += 1;
                template += &format!("{{p{parameters}}}");
            } else {
                template += &text(u, 2)?;
            }
        }
    }
    Ok(template)
}

impl<'a> Arbitrary<'a> for Api {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut routes = Vec::new();
        for _ in 0..u.int_in_range(1..=7u8)? {
            routes.push((method(u)?, template(u)?));
        }
        let mut asked = Vec::new();
        while !u.is_empty() && asked.len() < 40 {
            let mut path = String::new();
            for _ in 0..u.int_in_range(1..=4u8)? {
                path.push('/');
                path += &text(u, 6)?;
            }
            asked.push((method(u)?, path));
        }
        Ok(Self { routes, asked })
    }
}

fuzz_target!(|api: Api| {
    let route = |(operation, (method, template)): (usize, &(String, String))| Route {
        method: method.clone(),
        template: template.clone(),
        operation,
    };
    let Ok(router) = Router::new(api.routes.iter().enumerate().map(route)) else { return };
    for (method, path) in &api.asked {
        let found = match router.find(method, path) {
            Found::Operation { operation, captures } => {
                Answer::Operation(operation, captures.into_iter().map(str::to_owned).collect())
            }
            Found::MethodUnknown { methods } => {
                Answer::MethodUnknown(methods.iter().map(|(method, _)| method.clone()).collect())
            }
            Found::Unknown => Answer::Unknown,
        };
        match oracle::find(&api.routes, method, path) {
            Answer::Unclear(_) if found == Answer::Unknown => {}
            Answer::Unclear(rest) => assert_eq!(found, *rest, "{method} {path}"),
            answer => assert_eq!(found, answer, "{method} {path}"),
        }
    }
});
