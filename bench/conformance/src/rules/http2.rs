//! Rules of RFC 9113 (HTTP/2) and of RFC 7541 (HPACK, its compression of fields).

use super::Rule;

rules! {
    // Connections, frames and their sizes.
    PREFACE = "RFC 9113, section 3.4":
        "A client begins with 24 octets and SETTINGS; a server MUST take anything else for a connection error, of which it MAY say nothing.";
    SERVER_PREFACE = "RFC 9113, section 3.4":
        "The first frame of a server MUST be SETTINGS; a client may send requests before it.";
    UNKNOWN_TYPE = "RFC 9113, section 4.1":
        "A recipient MUST ignore and discard frames of types that it does not know.";
    UNUSED_FLAGS = "RFC 9113, section 4.1":
        "Flags that a type of frame does not define MUST be ignored.";
    RESERVED_BIT = "RFC 9113, section 4.1":
        "The bit before a stream identifier MUST be ignored.";
    LARGE_FRAME = "RFC 9113, section 4.2":
        "A recipient MUST be able to read frames of up to 16,384 octets.";
    FRAME_SIZE = "RFC 9113, section 4.2":
        "A frame that is larger than SETTINGS_MAX_FRAME_SIZE, or too small for what it has to hold, is a frame size error; it MUST end the connection where the frame could change its state.";
    FIELD_BLOCK = "RFC 9113, section 4.3":
        "A field block is one frame or several in a row, whose parts are joined before they are decompressed.";
    DECODING = "RFC 9113, section 4.3":
        "A field block that cannot be decompressed MUST be taken for a connection error.";
    COMPRESSION_STATE = "RFC 9113, section 4.3":
        "A field block MUST be decompressed even where its frames are discarded, since it may change the tables.";
    TABLE_SIZE = "RFC 9113, section 4.3.1":
        "The size of a dynamic table is at most what its decoder has set.";

    // Streams.
    IDLE = "RFC 9113, section 5.1":
        "On an idle stream any frame but HEADERS and PRIORITY MUST be taken for a connection error.";
    HALF_CLOSED = "RFC 9113, section 5.1":
        "After the end of a request a frame on its stream other than WINDOW_UPDATE, PRIORITY and RST_STREAM MUST be answered with a stream error.";
    CLOSED = "RFC 9113, section 5.1":
        "A frame on a closed stream MAY be taken for a connection error, or be discarded.";
    LATE_FRAMES = "RFC 9113, section 5.1":
        "After the end of an answer WINDOW_UPDATE and RST_STREAM of its stream can still arrive, and are no error.";
    UNKNOWN_ANYWHERE = "RFC 9113, section 5.1":
        "A frame of an unknown type cannot be an error, in whatever state its stream is.";
    STREAM_IDENTIFIER = "RFC 9113, section 5.1.1":
        "Streams of a client MUST have odd identifiers that only rise; a server MUST take others for a connection error.";
    SKIPPED_STREAMS = "RFC 9113, section 5.1.1":
        "A client may skip stream identifiers.";
    CONCURRENCY = "RFC 9113, section 5.1.2":
        "A stream beyond SETTINGS_MAX_CONCURRENT_STREAMS MUST be taken for a stream error.";
    SEVERAL = "RFC 9113, section 5":
        "A connection can have several open streams, whose frames are interleaved.";
    RECOMMENDED_STREAMS = "RFC 9113, section 6.5.2":
        "A limit of streams below 100 is not recommended.";
    PROMPT = "the endpoint":
        "Answers do not wait for an acknowledgement of TCP: a server sends without that delay.";

    // Types of frames.
    DATA = "RFC 9113, section 6.1":
        "DATA has any number of octets of content, in one frame or in several.";
    DATA_STREAM = "RFC 9113, section 6.1":
        "DATA without a stream MUST be taken for a connection error.";
    DATA_STATE = "RFC 9113, section 6.1":
        "DATA on a stream that is not open MUST be answered with a stream error.";
    DATA_PADDING = "RFC 9113, section 6.1":
        "DATA can be padded; padding as long as the payload or longer MUST be taken for a connection error.";
    HEADERS_STREAM = "RFC 9113, section 6.2":
        "HEADERS without a stream MUST be taken for a connection error.";
    HEADERS_PADDING = "RFC 9113, section 6.2":
        "HEADERS can be padded; padding as long as the payload or longer MUST be taken for a connection error.";
    HEADERS_UNFINISHED = "RFC 9113, section 6.2":
        "HEADERS without END_HEADERS MUST be followed by CONTINUATION of its stream; anything else MUST be taken for a connection error.";
    HEADERS_PRIORITY = "RFC 9113, section 5.3.2":
        "The priority of RFC 7540 is deprecated; its fields are kept so that clients that send them are understood.";
    PRIORITY_STATE = "RFC 9113, section 6.3":
        "PRIORITY can come in any state of a stream, and changes none.";
    PRIORITY_STREAM = "RFC 9113, section 6.3":
        "PRIORITY without a stream MUST be taken for a connection error.";
    PRIORITY_SIZE = "RFC 9113, section 6.3":
        "PRIORITY of another length than 5 MUST be taken for a stream error.";
    RESET = "RFC 9113, section 6.4":
        "RST_STREAM ends its stream, after which a server MUST NOT send more on it, and nothing else.";
    RESET_STREAM = "RFC 9113, section 6.4":
        "RST_STREAM without a stream, or of an idle one, MUST be taken for a connection error.";
    RESET_SIZE = "RFC 9113, section 6.4":
        "RST_STREAM of another length than 4 MUST be taken for a connection error.";
    SETTINGS = "RFC 9113, section 6.5":
        "SETTINGS can be sent at any time; the last value of a setting counts.";
    SETTINGS_ACK = "RFC 9113, section 6.5":
        "SETTINGS with ACK and a payload MUST be taken for a connection error.";
    SETTINGS_STREAM = "RFC 9113, section 6.5":
        "SETTINGS with a stream MUST be taken for a connection error.";
    SETTINGS_SIZE = "RFC 9113, section 6.5":
        "SETTINGS whose length is no multiple of 6 MUST be taken for a connection error.";
    SETTINGS_VALUES = "RFC 9113, section 6.5.2":
        "A value that its setting does not allow MUST be taken for a connection error.";
    UNKNOWN_SETTINGS = "RFC 9113, section 6.5.2":
        "Settings that are unknown MUST be ignored.";
    ACKNOWLEDGED = "RFC 9113, section 6.5.3":
        "Once it has applied all values of SETTINGS, the recipient MUST acknowledge them.";
    CLIENT_PUSH = "RFC 9113, section 8.4":
        "A client cannot push: a server MUST take PUSH_PROMISE for a connection error.";
    PING = "RFC 9113, section 6.7":
        "PING MUST be answered with ACK and the same payload.";
    PING_ACK = "RFC 9113, section 6.7":
        "PING with ACK MUST NOT be answered.";
    PING_STREAM = "RFC 9113, section 6.7":
        "PING with a stream MUST be taken for a connection error.";
    PING_SIZE = "RFC 9113, section 6.7":
        "PING of another length than 8 MUST be taken for a connection error.";
    GOAWAY = "RFC 9113, section 6.8":
        "After GOAWAY, streams that were opened before it might still complete.";
    GOAWAY_STREAM = "RFC 9113, section 6.8":
        "GOAWAY with a stream MUST be taken for a connection error.";
    UNKNOWN_CODES = "RFC 9113, section 7":
        "Error codes that are unknown MUST NOT trigger special behaviour.";
    CONTINUATION = "RFC 9113, section 6.10":
        "A field block may have any number of CONTINUATION frames.";
    CONTINUATION_ALONE = "RFC 9113, section 6.10":
        "CONTINUATION after anything but an unfinished field block MUST be taken for a connection error.";
    CONTINUATION_BROKEN = "RFC 9113, section 6.10":
        "Within a field block any frame but CONTINUATION of its stream MUST be taken for a connection error.";
    EXTENSION_IN_BLOCK = "RFC 9113, section 5.5":
        "A frame of an unknown type within a field block MUST be taken for a connection error.";

    // Flow control.
    WINDOW = "RFC 9113, section 6.9.1":
        "A sender MUST NOT send more content than either window has room for.";
    WINDOW_ZERO = "RFC 9113, section 6.9":
        "WINDOW_UPDATE by 0 MUST be taken for a stream error, and on the connection for a connection error.";
    WINDOW_SIZE = "RFC 9113, section 6.9":
        "WINDOW_UPDATE of another length than 4 MUST be taken for a connection error.";
    WINDOW_CLOSED = "RFC 9113, section 6.9":
        "WINDOW_UPDATE of a stream whose request or answer has ended MUST NOT be taken for an error.";
    WINDOW_COUNTED = "RFC 9113, section 6.9":
        "Content MUST be counted in the window of the connection also where it is discarded; the room comes back by WINDOW_UPDATE.";
    WINDOW_RESERVED = "RFC 9113, section 6.9":
        "The first bit of an increment is reserved, and does not count; that such a bit MUST be ignored is said of a frame's head alone.";
    WINDOW_OVERFLOW = "RFC 9113, section 6.9.1":
        "A window that exceeds 2^31-1 MUST end its stream, or the connection where it is that of the connection.";
    WINDOW_CHANGE = "RFC 9113, section 6.9.2":
        "A new initial window MUST be added to the windows of open streams, which can become negative: then nothing is sent until they are positive.";
    WINDOW_CHANGE_OVERFLOW = "RFC 9113, section 6.9.2":
        "An initial window that makes a window exceed 2^31-1 MUST be taken for a connection error.";

    // Messages.
    TRAILERS = "RFC 9113, section 8.1":
        "A request may end with a second field block; it is malformed where that does not end the stream or has pseudo-fields.";
    CONTENT_LENGTH = "RFC 9113, section 8.1.1":
        "A request is malformed whose content-length is not the length of its content; what is found to be malformed MUST be a stream error, before which a server MAY answer.";
    NAMES = "RFC 9113, section 8.2.1":
        "A name with upper-case letters, white space, a colon, control or non-ASCII characters MUST make a request malformed.";
    EMPTY_NAME = "RFC 9113, section 8.2.1":
        "Fields SHOULD be checked by their definitions, in which a name is not empty.";
    VALUES = "RFC 9113, section 8.2.1":
        "A value with NUL, CR or LF, or with white space at an end, MUST make a request malformed.";
    OTHER_VALUES = "RFC 9110, section 5.5":
        "A recipient SHOULD take bytes over 127 in a value for opaque data.";
    CONNECTION_FIELDS = "RFC 9113, section 8.2.2":
        "A field about the connection MUST make a request malformed; TE alone may be there, with no other value than trailers.";
    COOKIES = "RFC 9113, section 8.2.3":
        "Cookie may be split into several fields.";
    PSEUDO_PLACE = "RFC 9113, section 8.3":
        "A pseudo-field after another field MUST make a request malformed.";
    PSEUDO_TWICE = "RFC 9113, section 8.3":
        "A pseudo-field that is there twice MUST make a request malformed.";
    PSEUDO_UNKNOWN = "RFC 9113, section 8.3":
        "A pseudo-field that is undefined, or not one of requests, MUST make a request malformed.";
    PSEUDO_MISSING = "RFC 9113, section 8.3.1":
        "A request without :method, :scheme or :path is malformed; all MUST have exactly one valid value of each.";
    PATH = "RFC 9113, section 8.3.1":
        "The value of :path begins with a slash, or is `*` for OPTIONS; it MUST NOT be empty.";
    AUTHORITY = "RFC 9113, section 8.3.1":
        "The authority is :authority, which MUST NOT have a user; Host is another way to say it.";
    CONNECT = "RFC 9113, section 8.5":
        "CONNECT has :authority and neither :scheme nor :path; with one of them it is malformed.";

    FIELD_LIMIT = "RFC 9113, section 10.5.1":
        "A server can answer 431 to fields that are larger than it is willing to process; the block MUST be processed all the same, unless the connection is closed.";

    // HPACK.
    INDEX_ZERO = "RFC 7541, section 6.1":
        "An indexed field of index 0 MUST be taken for a decoding error.";
    INDEX_RANGE = "RFC 7541, section 2.3.3":
        "An index beyond both tables MUST be taken for a decoding error.";
    INTEGER = "RFC 7541, section 5.1":
        "An integer beyond what an implementation can hold MUST be taken for a decoding error.";
    HUFFMAN = "RFC 7541, section 5.2":
        "A Huffman code is padded with the first bits of EOS, at most 7; other padding, or EOS itself, MUST be taken for a decoding error.";
    STRINGS = "RFC 7541, section 5.2":
        "A string is its length and as many octets, as they are or in the Huffman code.";
    REPRESENTATIONS = "RFC 7541, section 6.2":
        "A field is sent with indexing, without it, or never to be indexed; its name by index or in full.";
    DYNAMIC_TABLE = "RFC 7541, section 2.3.2":
        "Fields that are sent with indexing are added to the dynamic table, the newest first.";
    EVICTION = "RFC 7541, section 4.4":
        "Entries are dropped until a new one fits; one that is larger than the table empties it, and is no error.";
    SIZE_UPDATE = "RFC 7541, section 6.3":
        "A table size beyond the limit of the protocol MUST be taken for a decoding error.";
    SIZE_UPDATE_PLACE = "RFC 7541, section 4.2":
        "A change of the table size MUST come at the beginning of a field block, where there may be two.";
}
