//! docs/rust.md shows the native example as it is, and what it prints.

#[path = "../../examples/native/main.rs"]
#[allow(dead_code, reason = "only its main is not called")]
mod example;

/// The text of the code block of this language.
fn block<'a>(page: &'a str, language: &str) -> &'a str {
    let begin = format!("\n```{language}\n");
    let block = page.split_once(begin.as_str()).and_then(|(_, rest)| rest.split_once("```\n"));
    block.map_or("", |(block, _)| block)
}

const PAGE: &str = include_str!("../../docs/rust.md");

#[test]
fn the_page_shows_the_example() {
    assert_eq!(block(PAGE, "rust"), include_str!("../../examples/native/main.rs"));
}

#[test]
fn the_example_prints_what_the_page_says() {
    assert_eq!(example::check_site().as_deref(), Ok(block(PAGE, "text")));
}
