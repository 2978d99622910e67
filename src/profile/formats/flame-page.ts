/** How the page of a flame graph looks. */
export const FLAME_STYLE = `
:root { color-scheme: light dark; font: 13px/1.4 system-ui, sans-serif; --line: #fff; }
@media (prefers-color-scheme: dark) { :root { --line: #111; } }
body { margin: 0 8px; }
header { position: sticky; top: 0; background: Canvas; padding: 4px 0; z-index: 1; }
h1 { font-size: 15px; margin: 0; }
header p { display: inline; margin: 0 12px 0 0; }
#status { margin-left: 12px; font-variant-numeric: tabular-nums; }
#graph { position: relative; }
.frame { position: absolute; height: 17px; box-sizing: border-box; border: 0 solid var(--line); border-width: 0 1px 1px 0; padding: 0 3px;
  overflow: hidden; white-space: nowrap; text-align: left; font: 11px/16px ui-monospace, monospace; color: #000; cursor: pointer; }
.frame:focus-visible { outline: 2px solid Highlight; }
.k { background: hsl(calc(20 + var(--h)) 85% 66%); }
.u { background: hsl(calc(110 + var(--h)) 50% 66%); }
.h { background: hsl(0 0% 76%); }
.above { opacity: .6; }
.found { background: #b39ddb; }
`;

/** What moves in it. Names reach the page only as text. */
export const FLAME_SCRIPT = `
'use strict';
const { names, kinds, parent, name, total } = JSON.parse(document.getElementById('profile').textContent);
const ROW = 17, LEAST = 0.7;
const graph = document.getElementById('graph');
const status = document.getElementById('status');
const search = document.getElementById('search');
const children = parent.map(() => []);
for (let k = 1; k < parent.length; k++) children[parent[k]].push(k);
for (const list of children) list.sort((a, b) => total[b] - total[a]);
let zoomed = 0, pattern = null;
const format = (n) => n.toLocaleString('en-US');
const tell = (k) => names[name[k]] + ': ' + format(total[k]) + ' instructions, ' + (100 * total[k] / Math.max(total[0], 1)).toFixed(2) + ' %';
const hue = (n) => { let h = 0; for (const c of names[n]) h = (h * 31 + c.charCodeAt(0)) | 0; return Math.abs(h) % 40; };
function box(k, x, width, depth, above) {
  const b = document.createElement('button');
  const text = names[name[k]];
  b.className = 'frame ' + kinds[name[k]] + (above ? ' above' : '') + (pattern && pattern.test(text) ? ' found' : '');
  b.style.setProperty('--h', hue(name[k]));
  b.style.left = x + 'px';
  b.style.width = Math.max(width, 1) + 'px';
  b.style.top = depth * ROW + 'px';
  if (width > 20) b.textContent = text;
  b.title = tell(k);
  b.onclick = () => { zoomed = k; draw(); };
  b.onmouseenter = b.onfocus = () => { status.textContent = tell(k); };
  return b;
}
function draw() {
  const width = graph.clientWidth, boxes = document.createDocumentFragment();
  const above = [];
  for (let k = parent[zoomed]; k >= 0; k = parent[k]) above.unshift(k);
  above.forEach((k, depth) => boxes.append(box(k, 0, width, depth, true)));
  let deepest = above.length;
  const work = [[zoomed, 0, above.length]];
  const scale = width / Math.max(total[zoomed], 1);
  while (work.length > 0) {
    const [k, x, depth] = work.pop();
    boxes.append(box(k, x, total[k] * scale, depth, false));
    deepest = Math.max(deepest, depth);
    let at = x;
    for (const c of children[k]) {
      const w = total[c] * scale;
      if (w < LEAST) break;
      work.push([c, at, depth + 1]);
      at += w;
    }
  }
  graph.replaceChildren(boxes);
  graph.style.height = (deepest + 1) * ROW + 'px';
}
function found() {
  if (!pattern) { status.textContent = ''; return; }
  let sum = 0;
  const work = [0];
  while (work.length > 0) {
    const k = work.pop();
    if (pattern.test(names[name[k]])) sum += total[k];
    else work.push(...children[k]);
  }
  status.textContent = format(sum) + ' instructions under functions found, ' + (100 * sum / Math.max(total[0], 1)).toFixed(2) + ' %';
}
search.oninput = () => {
  const text = search.value.replace(/[.*+?^$\\{}()|[\\]\\\\]/g, '\\\\$&');
  pattern = text === '' ? null : new RegExp(text, 'i');
  draw();
  found();
};
document.getElementById('reset').onclick = () => { zoomed = 0; draw(); };
window.onresize = draw;
draw();
`;
