//! The greeting, the body of answers to GET.

/// The type of the greeting, as `Content-Type` names it.
pub const CONTENT_TYPE: &str = "text/plain; charset=utf-8";

const BEFORE: &[u8] = b"Hello, visitor! You've requested: ";
const AFTER: &[u8] = b"\n";

/// Bytes of the greeting for `path`: its `Content-Length`.
pub const fn len(path: &[u8]) -> usize {
    BEFORE.len() + path.len() + AFTER.len()
}

/// Appends the greeting for `path`: [`len`] bytes, for which a caller may reserve room.
pub fn write(path: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(BEFORE);
    out.extend_from_slice(path);
    out.extend_from_slice(AFTER);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greets_with_the_path() {
        let mut out = Vec::new();
        write(b"/abc", &mut out);
        assert_eq!(out, b"Hello, visitor! You've requested: /abc\n");
        assert_eq!(out.len(), len(b"/abc"));
    }
}
