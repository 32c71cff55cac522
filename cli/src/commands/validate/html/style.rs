//! How the page looks, on a phone and on a screen, by day and by night.

/// The style sheet. It is a text of the program, not a file, so that its line ends are the same
/// everywhere: the page allows it by its hash.
pub(super) const SHEET: &str = r"
:root { color-scheme: light dark; --back: #f6f7f9; --card: #ffffff; --line: #d5d9e0; --text: #1b2129; --faint: #56606d;
  --link: #0b5cad; --bad: #b3261e; --warn: #8a5200; --good: #1a6b35; --mark: #eef1f5; }
@media (prefers-color-scheme: dark) {
  :root { --back: #12161b; --card: #1b2128; --line: #36404b; --text: #e6eaef; --faint: #a3adb9; --link: #8ab8f5;
    --bad: #ff8f85; --warn: #f2b65a; --good: #7fd49a; --mark: #272f38; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0 auto; padding: 1rem; max-width: 64rem; background: var(--back); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0.5rem 0 0; }
h2 { font-size: 1.25rem; margin: 2rem 0 0.75rem; }
h3 { font-size: 1rem; margin: 0; }
p { margin: 0.25rem 0; }
a { color: var(--link); }
a:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
code { font: 0.9em ui-monospace, monospace; background: var(--mark); padding: 0.1em 0.3em; border-radius: 0.25rem; }
.faint { color: var(--faint); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 0.75rem; margin: 1rem 0; padding: 0; }
.tiles div { display: flex; flex-direction: column; justify-content: space-between; }
.tiles div, article { background: var(--card); border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.75rem 1rem; }
.tiles dt { color: var(--faint); font-size: 0.875rem; }
.tiles dd { margin: 0; font-size: 1.75rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
nav { display: flex; flex-wrap: wrap; gap: 0.75rem; }
nav a { flex: 1 1 8rem; display: flex; align-items: center; justify-content: center; min-height: 3rem; padding: 0.5rem 1rem;
  border: 1px solid var(--link); border-radius: 0.5rem; text-decoration: none; font-weight: 600; background: var(--card); }
article { margin: 0 0 0.75rem; border-left: 0.375rem solid var(--line); scroll-margin-top: 0.5rem; }
article:target { outline: 3px solid var(--link); }
article.error { border-left-color: var(--bad); }
article.warning { border-left-color: var(--warn); }
.word { font-weight: 600; }
.error > .word, .error > p > .word, .bad { color: var(--bad); }
.warning > .word, .warning > p > .word, .attention { color: var(--warn); }
.good { color: var(--good); }
.file { margin: 1.5rem 0 0.75rem; color: var(--faint); }
.findings { list-style: none; margin: 0.75rem 0 0; padding: 0; }
.findings li { border-top: 1px solid var(--line); padding: 0.75rem 0; }
.findings li:last-child { padding-bottom: 0; }
.findings .faint { display: inline-block; }
.rule { display: inline-block; padding: 0.6rem 0.25rem; margin: -0.6rem 0; }
dl.facts { margin: 0.5rem 0 0; display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 0.75rem; }
dl.facts dt { color: var(--faint); }
dl.facts dd { margin: 0; }
.where { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; list-style: none; margin: 0.5rem 0 0; padding: 0; }
.where a, .where .more, .top { display: inline-flex; align-items: center; min-height: 2.75rem; }
.cut { background: var(--mark); border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.75rem 1rem; }
@media print { nav, .top { display: none; } article { break-inside: avoid-page; } }
";

/// SHA-256 of the style sheet in Base64, by which the page allows it and no other.
pub(super) const HASH: &str = "felTIbY1AzBIANDZhW57/KTHhyEdQk/N2t6aOcCa9ok=";

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn the_page_allows_its_own_style_sheet() {
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, super::SHEET.as_bytes());
        assert_eq!(super::HASH, STANDARD.encode(hash));
    }
}
