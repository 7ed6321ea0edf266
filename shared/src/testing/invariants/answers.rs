//! Answers as a strict client reads them from bytes, by a parser of their own.

use httparse::{Response, Status};

/// Fields that an answer may have, and many more than it has.
const MOST_FIELDS: usize = 16;

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its status code.
    pub status: u16,
    /// Its fields by name in lower case; without `date`, which differs, and was checked.
    pub fields: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a field that occurs once.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut values =
            self.fields.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        values.next().filter(|_| values.next().is_none())
    }

    /// Whether it announces that the connection is closed after it.
    pub fn closes(&self) -> bool {
        self.field("connection").is_some_and(|option| option.eq_ignore_ascii_case("close"))
    }

    /// Whether another answer follows to the same request.
    pub fn is_interim(&self) -> bool {
        self.status < 200
    }
}

/// The answer at the start of `bytes`, and its length; `None` while it is not whole. `has_body`
/// decides, by a head and what follows it, whether its body follows: an answer to HEAD has the same
/// head. Fails with what is wrong.
pub fn read(
    bytes: &[u8],
    has_body: impl FnOnce(&Answer, &[u8]) -> bool,
) -> Result<Option<(Answer, usize)>, String> {
    let Some((mut answer, head)) = read_head(bytes)? else { return Ok(None) };
    let rest = bytes.get(head..).unwrap_or_default();
    if answer.is_interim() {
        return Ok(Some((answer, head)));
    }
    let length = answer.field("content-length").ok_or("its Content-Length is missing or repeated")?;
    let length: usize = length.parse().map_err(|_| format!("its Content-Length is `{length}`"))?;
    if !has_body(&answer, rest) {
        return Ok(Some((answer, head)));
    }
    let Some(body) = rest.get(..length) else { return Ok(None) };
    answer.body = body.to_vec();
    Ok(Some((answer, head + length)))
}

fn read_head(bytes: &[u8]) -> Result<Option<(Answer, usize)>, String> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut response = Response::new(&mut fields);
    let parsed = response.parse(bytes).map_err(|error| format!("it is not an answer: {error}"))?;
    let Status::Complete(length) = parsed else { return Ok(None) };
    let mut fields = Vec::new();
    let mut dates = 0;
    for field in response.headers {
        let value =
            std::str::from_utf8(field.value).map_err(|_| format!("its {} is not text", field.name))?;
        let name = field.name.to_ascii_lowercase();
        if name == "date" {
            httpdate::parse_http_date(value).map_err(|_| format!("its Date is `{value}`"))?;
            dates += 1;
        } else {
            fields.push((name, value.to_owned()));
        }
    }
    fields.sort();
    let status = response.code.ok_or("it has no status")?;
    // RFC 9110, section 6.6.1: a server with a clock sends it, but for interim answers.
    if dates != usize::from(status >= 200) {
        return Err(format!("its {status} has {dates} dates"));
    }
    Ok(Some((Answer { status, fields, body: Vec::new() }, length)))
}
