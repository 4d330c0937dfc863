/** The page's look: the system's letters, light or dark as the reader has it, one column where it is narrow. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #fff; --raised: #f6f7f9; --line: #dfe3e8; --text: #1c2128; --quiet: #5b6570; --accent: #0b5cad;
  --get: #0b5cad; --post: #1a7f4b; --patch: #9a5b00; --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12161b; --raised: #1a2027; --line: #2e3640; --text: #dde3ea; --quiet: #94a0ad; --accent: #79b8ff;
    --get: #79b8ff; --post: #6fd39b; --patch: #f0b35a;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--text); font: 1rem/1.55 system-ui, sans-serif; }
a { color: var(--accent); text-decoration: none; }
a:hover, a:focus-visible { text-decoration: underline; }
code, pre { font-family: var(--mono); font-size: .875em; }
.quiet { color: var(--quiet); font-weight: normal; }
.page { display: grid; grid-template-columns: 19rem minmax(0, 1fr); max-width: 84rem; margin: 0 auto; }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.5rem .75rem 1.5rem 1rem; border-right: 1px solid var(--line); font-size: .8125rem; }
nav h2 { margin: 1.1rem 0 .25rem; font-size: .8125rem; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav li a { display: flex; gap: .5rem; padding: .15rem 0; color: var(--text); }
nav li code { overflow-wrap: anywhere; }
nav .method { flex: none; width: 2.6rem; }
nav code { font-size: .75rem; }
main { padding: 1.5rem 2rem 6rem; min-width: 0; }
h1 { margin: 0; font-size: 1.75rem; line-height: 1.2; }
h2 { margin: 3rem 0 0; font-size: 1.375rem; }
h3 { margin: 0 0 .5rem; font-size: 1rem; display: flex; gap: .6rem; align-items: baseline; }
h3 code { font-size: 1rem; overflow-wrap: anywhere; }
h4 { margin: 1rem 0 .35rem; font-size: .875rem; }
p { margin: .4rem 0; }
.method { font: 700 .75rem var(--mono); }
.get { color: var(--get); } .post { color: var(--post); } .patch { color: var(--patch); }
.scope { border: 1px solid var(--line); border-radius: 99px; padding: .05rem .5rem; font-size: .75rem; }
.operation, .shape { border: 1px solid var(--line); border-radius: .5rem; padding: 1rem 1.25rem; margin: 1rem 0; }
.operation:target, .shape:target { border-color: var(--accent); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .8125rem; table-layout: fixed; }
th:nth-child(1) { width: 34%; } th:nth-child(2) { width: 28%; }
th { text-align: left; color: var(--quiet); font-weight: 600; }
th, td { padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td { overflow-wrap: anywhere; }
td b { color: var(--patch); padding-left: .15rem; }
details { margin: .75rem 0; font-size: .875rem; }
summary { cursor: pointer; color: var(--quiet); }
.errors { display: grid; grid-template-columns: 3rem minmax(0, 1fr); margin: .5rem 0; }
.errors dt { font-weight: 600; } .errors dd { margin: 0 0 .35rem; overflow-wrap: anywhere; }
pre { background: var(--raised); border-radius: .375rem; padding: .75rem 1rem; margin: .75rem 0 0; overflow-x: auto; }
.curl { user-select: all; -webkit-user-select: all; cursor: copy; }
.intro { max-width: 46rem; } .intro li { margin: .4rem 0; } .intro ul { padding-left: 1.2rem; }
@media (max-width: 60rem) {
  .page { display: block; }
  nav { position: static; height: auto; border-right: 0; border-bottom: 1px solid var(--line); padding: 1rem; }
  nav h2 { display: inline-block; margin: 0 .9rem 0 0; }
  nav > a { display: block; margin-bottom: .35rem; }
  nav ul { display: none; }
  main { padding: 1rem 1rem 4rem; }
  .operation, .shape { padding: .85rem; margin-inline: -.25rem; }
}
@media print { nav { display: none; } .page { display: block; } }
`;
