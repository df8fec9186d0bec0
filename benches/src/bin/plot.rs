//! Draws what `against-peers --json` prints: reads its lines from standard input and writes an SVG of the
//! ratios to totp-rs, a bar for each case, with a mark at its gate. With `--growth`, what `answer-path --growth .. --json`
//! prints: the cost of a verification by how many people there are, a line a store.
#![allow(clippy::print_stdout, reason = "this is what it is for")]

use std::io::{self, BufRead};

const LEFT: f64 = 210.0;
const WIDTH: f64 = 420.0;
const ROW: f64 = 26.0;

/// The gates, as in `against-peers`.
const GATES: [(&str, f64); 9] = [
    ("generate_kept", 0.48),
    ("verify_kept", 0.25),
    ("verify_raw", 0.36),
    ("batch_generate", 0.10),
    ("batch_generate_same_step", 0.075),
    ("batch_verify", 0.085),
    ("batch_generate_sha512", 0.10),
    ("lookahead16", 0.15),
    ("generate_safe", 0.55),
];

fn main() {
    if std::env::args().any(|word| word == "--growth") {
        return growth();
    }
    let mut bars = Vec::new();
    let mut cpu = String::new();
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        let Ok(object) = serde_json::from_str::<serde_json::Value>(&line) else { continue };
        let text =
            |field: &str| object.get(field).and_then(|v| v.as_str()).unwrap_or("").to_owned();
        if text("peer") == "totp-rs" {
            let ratio = object.get("ratio").and_then(serde_json::Value::as_f64).unwrap_or(0.0);
            bars.push((text("case"), ratio));
            cpu = text("cpu");
        }
    }
    let rows = u32::try_from(bars.len()).unwrap_or(0);
    let bottom = 44.0 + ROW * f64::from(rows);
    println!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" font-family="sans-serif" font-size="13">"#,
        LEFT + WIDTH + 80.0,
        bottom + 30.0
    );
    println!(r#"<rect width="100%" height="100%" fill="white"/>"#);
    println!(r#"<text x="10" y="20" font-size="15">Time of ours, as a part of totp-rs's</text>"#);
    for tenths in 0..=10_u32 {
        let x = LEFT + WIDTH * f64::from(tenths) / 10.0;
        println!(r##"<line x1="{x}" y1="34" x2="{x}" y2="{bottom}" stroke="#ddd"/>"##);
        let part = f64::from(tenths) / 10.0;
        println!(
            r##"<text x="{x}" y="{}" text-anchor="middle" fill="#666">{part}</text>"##,
            bottom + 16.0
        );
    }
    for ((case, ratio), row) in bars.iter().zip(0_u32..) {
        let y = 40.0 + ROW * f64::from(row);
        let end = LEFT + WIDTH * ratio.min(1.0);
        println!(r#"<text x="{}" y="{}" text-anchor="end">{case}</text>"#, LEFT - 8.0, y + 14.0);
        println!(
            r##"<rect x="{LEFT}" y="{y}" width="{}" height="18" fill="#2b6cb0"/>"##,
            end - LEFT
        );
        let gate = GATES.iter().find(|(name, _)| name == case).map(|(_, gate)| LEFT + WIDTH * gate);
        if let Some(x) = gate {
            println!(
                r##"<line x1="{x}" y1="{}" x2="{x}" y2="{}" stroke="#c53030" stroke-width="2"/>"##,
                y - 2.0,
                y + 20.0
            );
        }
        // Where the mark would cross the number, the number goes behind it.
        let close = gate.filter(|gate| (end - 2.0..end + 50.0).contains(gate));
        let label = close.unwrap_or(end) + 8.0;
        println!(r#"<text x="{label}" y="{}">{ratio:.3}</text>"#, y + 14.0);
    }
    println!(r##"<text x="10" y="{}" fill="#666">{cpu}</text>"##, bottom + 28.0);
    println!("</svg>");
}

/// The most that a cost may grow.
const GROWTH: f64 = 1.5;

/// A line for each store, over the logarithm of how many people there are.
fn growth() {
    let mut points: Vec<(String, f64, f64)> = Vec::new();
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        let Ok(object) = serde_json::from_str::<serde_json::Value>(&line) else { continue };
        let people = object.get("people").and_then(serde_json::Value::as_f64).unwrap_or(1.0);
        let Some(line) = object.get("line") else { continue };
        let store = line.get("store").and_then(|v| v.as_str()).unwrap_or("").to_owned();
        let ratio = line.get("ratio").and_then(serde_json::Value::as_f64).unwrap_or(1.0);
        points.push((store, people, 1.0 / ratio.max(0.01)));
    }
    let (left, top, width, height) = (60.0, 40.0, 480.0, 220.0);
    let x = |people: f64| left + width * ((people.log10() - 4.0) / 3.0).clamp(0.0, 1.0);
    let y = |cost: f64| top + height * (1.0 - (cost / 2.0).clamp(0.0, 1.0));
    println!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 310" font-family="sans-serif" font-size="13">"#
    );
    println!(r#"<rect width="100%" height="100%" fill="white"/>"#);
    println!(
        r#"<text x="10" y="20" font-size="15">Cost of a verification, as a part of that among 10,000 people</text>"#
    );
    for (people, label) in
        [(1e4, "10,000"), (1e5, "100,000"), (1e6, "1,000,000"), (1e7, "10,000,000")]
    {
        println!(
            r##"<line x1="{0}" y1="{top}" x2="{0}" y2="{1}" stroke="#ddd"/>"##,
            x(people),
            top + height
        );
        println!(
            r##"<text x="{}" y="{}" text-anchor="middle" fill="#666">{label}</text>"##,
            x(people),
            top + height + 18.0
        );
    }
    for cost in [0.0, 0.5, 1.0, 1.5, 2.0] {
        println!(
            r##"<text x="{}" y="{}" text-anchor="end" fill="#666">{cost:.1}</text>"##,
            left - 8.0,
            y(cost) + 4.0
        );
    }
    println!(
        r##"<line x1="{left}" y1="{0}" x2="{1}" y2="{0}" stroke="#c53030" stroke-dasharray="6 4"/>"##,
        y(GROWTH),
        left + width
    );
    println!(
        r##"<text x="{}" y="{}" text-anchor="end" fill="#c53030">the gate</text>"##,
        left + width,
        y(GROWTH) - 6.0
    );
    for (store, colour, drop) in [("sqlite", "#2b6cb0", -8.0), ("postgres", "#2f855a", 18.0)] {
        let own: Vec<&(String, f64, f64)> = points.iter().filter(|(of, ..)| of == store).collect();
        let line: Vec<String> = own
            .iter()
            .map(|(_, people, cost)| format!("{:.1},{:.1}", x(*people), y(*cost)))
            .collect();
        println!(
            r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="2"/>"#,
            line.join(" ")
        );
        for (_, people, cost) in &own {
            println!(
                r#"<circle cx="{:.1}" cy="{:.1}" r="4" fill="{colour}"/>"#,
                x(*people),
                y(*cost)
            );
        }
        if let Some((_, people, cost)) = own.last() {
            println!(
                r#"<text x="{:.1}" y="{:.1}" fill="{colour}">{store}</text>"#,
                x(*people) + 8.0,
                y(*cost) + drop
            );
        }
    }
    println!("</svg>");
}
