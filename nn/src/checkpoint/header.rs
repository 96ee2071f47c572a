//! The header of a safetensors file, which is not believed.
//!
//! ```text
//! 8 bytes     the length of the header, little-endian
//! header      {"NAME": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …, "__metadata__": {"KEY": "TEXT"}}
//! data        what the offsets count from; every byte belongs to exactly one entry
//! ```

use safetensors::Dtype;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::ops::Range;

/// What a header says.
#[derive(Debug, Default)]
pub struct Header {
    /// In the order of their data.
    pub entries: Vec<Entry>,
    /// `__metadata__`
    pub texts: Vec<(String, String)>,
}

/// A tensor, or a number, of the file.
#[derive(Debug)]
pub struct Entry {
    pub name: String,
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    /// Which bytes of the file are its data.
    pub data: Range<usize>,
}

/// What is wrong, in which entry, if it is that of one.
#[derive(Debug)]
pub struct Lie {
    pub entry: Option<String>,
    pub reason: String,
}

impl From<String> for Lie {
    fn from(reason: String) -> Lie {
        Lie { entry: None, reason }
    }
}

/// Reads the header of a whole file, and checks it against the bytes that follow it.
pub fn read(bytes: &[u8]) -> Result<Header, Lie> {
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
        return Err(format!("{} bytes, where the length of the header takes 8", bytes.len()).into());
    };
    let length = u64::from_le_bytes(*length);
    let Some((text, data)) = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length)) else {
        return Err(format!("its first 8 bytes say that a header of {length} bytes follows; {} do", rest.len()).into());
    };
    let text =
        str::from_utf8(text).map_err(|error| format!("the header, at byte {}: no UTF-8", error.valid_up_to()))?;
    let json = serde_json::from_str(text).map_err(|error| format!("the header: {error}"))?;
    let Json::Map(fields) = json else {
        return Err(format!("the header is {json}; expected entries by their names").into());
    };

    let mut header = Header::default();
    for (name, value) in fields {
        if name == "__metadata__" {
            header.texts = texts(value)?;
        } else {
            let entry = entry(&name, value, data.len());
            header.entries.push(entry.map_err(|reason| Lie { entry: Some(name), reason })?);
        }
    }
    header.entries.sort_by_key(|entry| (entry.data.start, entry.data.end));
    covers(&header.entries, data.len())?;
    // From offsets in the data to those in the file.
    let start = bytes.len() - data.len();
    header.entries.iter_mut().for_each(|entry| entry.data = entry.data.start + start..entry.data.end + start);
    Ok(header)
}

fn texts(value: Json) -> Result<Vec<(String, String)>, String> {
    let Json::Map(fields) = value else { return Err(format!("__metadata__ is {value}; expected texts by names")) };
    let text = |(name, value)| match value {
        Json::Text(text) => Ok((name, text)),
        other => Err(format!("__metadata__: {name:?} is {other}; expected a text")),
    };
    fields.into_iter().map(text).collect()
}

/// The entry that `value` describes, with its place in the `available` bytes of data.
fn entry(name: &str, value: Json, available: usize) -> Result<Entry, String> {
    let Json::Map(fields) = value else {
        return Err(format!("is {value}; expected dtype, shape and data_offsets"));
    };
    let find = |wanted: &str| {
        let found = fields.iter().find(|(field, _)| field == wanted);
        found.map(|(_, value)| value).ok_or_else(|| format!("has no {wanted}"))
    };
    let (dtype, shape, offsets) = (find("dtype")?, find("shape")?, find("data_offsets")?);

    let Some(sizes) = shape.counts() else {
        return Err(format!("shape {shape}; expected a list of sizes, none negative"));
    };
    let (dtype, width) = match dtype {
        Json::Text(text) if text == "F32" => (Dtype::F32, 4),
        Json::Text(text) if text == "F64" && sizes.is_empty() => (Dtype::F64, 8),
        Json::Text(text) if text == "I64" && sizes.is_empty() => (Dtype::I64, 8),
        Json::Text(text) => return Err(format!("{text} of shape {shape}; expected F32, or F64 or I64 without axes")),
        other => return Err(format!("dtype {other}; expected F32, or F64 or I64 without axes")),
    };
    // An axis without elements does not excuse the others: strides are made of them.
    let span = sizes.iter().try_fold(width, |span: isize, &axis| span.checked_mul(isize::try_from(axis.max(1)).ok()?));
    let Some(span) = span else {
        return Err(format!(
            "{} of shape {shape}: more bytes than can be counted; {available} follow the header",
            dtype
        ));
    };
    let size = if sizes.contains(&0) { 0 } else { span.unsigned_abs() };
    let Some(&[start, end]) = offsets.counts().as_deref() else {
        return Err(format!("data_offsets {offsets}; expected [begin, end]"));
    };
    if start > end || end > available {
        return Err(format!("data_offsets {offsets}; expected a part of the {available} bytes that follow the header"));
    }
    if end - start != size {
        return Err(format!("data_offsets {offsets} are {} bytes; {dtype} of shape {shape} has {size}", end - start));
    }
    Ok(Entry { name: name.to_string(), dtype, shape: sizes, data: start..end })
}

/// Refuses entries that leave out bytes or share some.
fn covers(entries: &[Entry], available: usize) -> Result<(), String> {
    let mut at = 0;
    for (i, Entry { name, data, .. }) in entries.iter().enumerate() {
        if data.start < at {
            let shared = data.start..at.min(data.end);
            let other = &entries[i - 1].name;
            return Err(format!("entries {other:?} and {name:?} share bytes {shared:?} of the data"));
        }
        if data.start > at {
            return Err(format!("bytes {:?} of the data, before entry {name:?}, belong to none", at..data.start));
        }
        at = data.end;
    }
    if at < available {
        return Err(format!("bytes {:?} of the data, the last ones, belong to no entry", at..available));
    }
    Ok(())
}

/// JSON in which no name stands twice.
#[derive(Debug)]
enum Json {
    Map(Vec<(String, Json)>),
    List(Vec<Json>),
    Text(String),
    Count(u64),
    /// Something that no header has: another number, a truth value, nothing.
    Other(String),
}

impl Json {
    /// Its elements, if it is a list of whole numbers that are not negative.
    fn counts(&self) -> Option<Vec<usize>> {
        let Json::List(list) = self else { return None };
        let count = |value: &Json| if let Json::Count(count) = value { usize::try_from(*count).ok() } else { None };
        list.iter().map(count).collect()
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Map(fields) => write!(f, "a map of {} names", fields.len()),
            Json::List(list) => {
                f.write_str("[")?;
                for (i, value) in list.iter().enumerate() {
                    write!(f, "{}{value}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Json::Text(text) => write!(f, "{text:?}"),
            Json::Count(count) => write!(f, "{count}"),
            Json::Other(other) => f.write_str(other),
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(Checked)
    }
}

struct Checked;

impl<'de> Visitor<'de> for Checked {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut fields = Vec::new();
        let mut names = std::collections::HashSet::new();
        while let Some((name, value)) = map.next_entry::<String, Json>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom(format_args!("the name {name:?} stands there twice")));
            }
            fields.push((name, value));
        }
        Ok(Json::Map(fields))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = seq.next_element()? {
            list.push(value);
        }
        Ok(Json::List(list))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_string()))
    }

    fn visit_u64<E: Error>(self, count: u64) -> Result<Json, E> {
        Ok(Json::Count(count))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Other(number.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Json, E> {
        Ok(Json::Other(number.to_string()))
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Json, E> {
        Ok(Json::Other(truth.to_string()))
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Other("null".to_string()))
    }
}
