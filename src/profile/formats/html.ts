import type { ProfileData } from '../profile-data.js';
import { FLAME_SCRIPT, FLAME_STYLE } from './flame-page.js';
import { flameTree } from './flame-tree.js';

/** Text between tags or in an attribute. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** JSON inside a script element: nothing in it can end the element. */
function embeddedJson(value: unknown): string {
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A page with a flame graph. It needs no other file, no network, and trusts no name in the profile. */
export function* html(profile: ProfileData, title: string): Generator<string> {
  const policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'";
  yield '<!DOCTYPE html>';
  yield `<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">`;
  yield `<meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title>`;
  yield `<style>${FLAME_STYLE}</style></head><body>`;
  yield `<header><h1>${escapeHtml(title)}</h1><p>${profile.instructions.toLocaleString('en-US')} instructions</p>`;
  yield '<label>Search <input id="search" type="search" placeholder="function"></label> <button id="reset" type="button">Whole graph</button>';
  yield '<output id="status"></output></header><main id="graph" aria-label="Flame graph"></main>';
  yield `<script type="application/json" id="profile">${embeddedJson(flameTree(profile))}</script>`;
  yield `<script>${FLAME_SCRIPT}</script></body></html>`;
}
