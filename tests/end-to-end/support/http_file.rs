//! A file of HTTP requests, as editors read it.

use std::collections::BTreeMap;

/// One request of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileRequest {
    /// Its title.
    pub(crate) title: String,
    /// The status that the file expects.
    pub(crate) expect: u16,
    /// `GET`, `POST`.
    pub(crate) method: String,
    /// The whole address.
    pub(crate) url: String,
    /// Headers in order.
    pub(crate) headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub(crate) body: String,
}

impl FileRequest {
    /// The name of the listener and the path, of an address `http://host/path`.
    pub(crate) fn target(&self) -> (&str, &str) {
        let rest = self.url.strip_prefix("http://").expect(&self.title);
        let slash = rest.find('/').expect(&self.title);
        rest.split_at(slash)
    }

    /// The path without what is asked behind the question mark.
    pub(crate) fn path(&self) -> &str {
        let (_, path) = self.target();
        path.split('?').next().unwrap_or(path)
    }
}

/// Reads a file; `given` are variables that stand for those of the file.
pub(crate) fn parse(text: &str, given: &[(&str, &str)]) -> Vec<FileRequest> {
    let mut variables = BTreeMap::new();
    for line in text.lines() {
        if let Some((name, value)) = line.strip_prefix('@').and_then(|it| it.split_once('=')) {
            variables.insert(name.trim().to_owned(), value.trim().to_owned());
        }
    }
    for (name, value) in given {
        let known = variables.insert((*name).to_owned(), (*value).to_owned());
        assert!(known.is_some(), "the file has no variable {name}");
    }
    let mut filled = text.to_owned();
    for (name, value) in &variables {
        filled = filled.replace(&format!("{{{{{name}}}}}"), value);
    }
    assert!(!filled.contains("{{"), "a variable has no value");
    let parts = filled.split("\n###").skip(1);
    parts.map(request).collect()
}

fn request(part: &str) -> FileRequest {
    let (title, rest) = part.split_once('\n').expect(part);
    let title = title.trim().to_owned();
    let mut lines = rest.lines().skip_while(|line| line.trim().is_empty());
    let mut expect = None;
    let first = lines.by_ref().find(|line| {
        let comment = line.strip_prefix('#').map(str::trim);
        let status = comment.and_then(|it| it.strip_prefix("expect "));
        expect = expect.or(status.and_then(|status| status.parse().ok()));
        comment.is_none()
    });
    let (method, url) = first.and_then(|line| line.split_once(' ')).expect(&title);
    let headers = lines.by_ref().take_while(|line| !line.trim().is_empty());
    let header = |line: &str| {
        let (name, value) = line.split_once(':').expect(&title);
        (name.trim().to_owned(), value.trim().to_owned())
    };
    let headers = headers.map(header).collect();
    let body = lines.collect::<Vec<_>>().join("\n").trim().to_owned();
    let expect = expect.unwrap_or_else(|| panic!("{title} expects no status"));
    FileRequest {
        title,
        expect,
        method: method.to_owned(),
        url: url.trim().to_owned(),
        headers,
        body,
    }
}

#[test]
fn a_file_is_read_as_it_stands() {
    let text = "@host = http://here\n@id = 7\n\n\
        ### One\n# expect 200\nGET {{host}}/a/{{id}}?b=1\n\n\
        ### Two\n# expect 201\nPOST {{host}}/c\nContent-Type: application/json\n\n\
        {\n  \"d\": 1\n}\n";
    let read = parse(text, &[("host", "http://there:1")]);
    assert_eq!(read.len(), 2);
    assert_eq!((read[0].expect, read[0].path()), (200, "/a/7"));
    assert_eq!(read[0].target(), ("there:1", "/a/7?b=1"));
    assert_eq!(read[1].headers, [("Content-Type".to_owned(), "application/json".to_owned())]);
    assert_eq!((read[1].method.as_str(), read[1].body.as_str()), ("POST", "{\n  \"d\": 1\n}"));
}
