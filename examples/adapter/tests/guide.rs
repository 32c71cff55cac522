//! What the chapter of the guide shows is what stands here.

#[test]
fn what_the_chapter_shows_stands_here() {
    let [start, end] =
        [include_str!("../../../core/src/guide/adapters.md"), include_str!("../../../core/src/guide/adapters_end.md")];
    let block = |text: &'static str, language: &str| {
        text.rsplit(format!("```{language}\n").as_str()).next().unwrap().split("```").next().unwrap()
    };
    assert!(include_str!("conformance.rs").replace('\r', "").contains(&block(end, "rust,ignore").replace('\r', "")));
    let bill = block(start, "text").replace('\r', "");
    assert!(bill.starts_with("B|") && include_str!("../bills.munim").replace('\r', "").contains(bill.trim()), "{bill}");
}

#[test]
fn the_adapter_is_as_short_as_the_guide_says() {
    let lines = include_str!("../src/lib.rs").lines().count();
    assert!(lines < 100, "{lines} lines");
}
