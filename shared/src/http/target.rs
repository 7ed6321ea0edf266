//! The path of a request target (RFC 9112, section 3.2).

/// Returns the path of `target` as the client sent it: without query and fragment, and not decoded,
/// cleaned or merged. For the absolute form, it is the path of the URI, or `/` when that is empty.
pub fn path(target: &[u8]) -> &[u8] {
    let end = target.iter().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(target.len());
    let (target, _) = target.split_at(end);
    if target.first() == Some(&b'/') {
        return target;
    }
    let Some(scheme) = target.windows(3).position(|bytes| bytes == b"://") else { return target };
    let after_scheme = target.get(scheme + 3..).unwrap_or_default();
    let authority = after_scheme.iter().position(|byte| *byte == b'/').unwrap_or(after_scheme.len());
    match after_scheme.get(authority..) {
        Some(path) if !path.is_empty() => path,
        _ => b"/",
    }
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn the_path_is_what_the_client_sent() {
        let cases: [(&str, &str); 12] = [
            ("/", "/"),
            ("/abc", "/abc"),
            ("/abc?d=e", "/abc"),
            ("/abc#d", "/abc"),
            ("/abc#d?e", "/abc"),
            ("/a%20b/%2e%2e/c", "/a%20b/%2e%2e/c"),
            ("//a/../b", "//a/../b"),
            ("/http://host/a", "/http://host/a"),
            ("http://host/a/b?c", "/a/b"),
            ("http://host", "/"),
            ("http://host?a", "/"),
            ("*", "*"),
        ];
        for (target, expected) in cases {
            assert_eq!(path(target.as_bytes()), expected.as_bytes(), "{target}");
        }
    }
}
