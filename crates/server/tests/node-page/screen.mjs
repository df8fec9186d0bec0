// A page in a real Chromium with a virtual authenticator, watched: what its console says, what the server refuses it, and
// what axe finds in each view.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const pictures = process.env.COUNTERSIGN_PICTURES;
const WIDTHS = { phone: 360, desktop: 1280 };

export class Screen {
  /** What the console said that is no refusal of the server. */
  errors = [];
  /** What the server refused, as "status method path". */
  refused = [];

  static async open(executablePath, url) {
    const screen = new Screen();
    screen.browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
    const context = await screen.browser.newContext({ viewport: { width: WIDTHS.phone, height: 740 }, reducedMotion: 'reduce' });
    const page = screen.page = await context.newPage();
    page.setDefaultTimeout(60_000);
    page.on('pageerror', (error) => screen.errors.push(String(error)));
    page.on('console', (message) => {
      // Chromium writes a line for each refusal. Those are counted below, by what was refused.
      if (message.type() === 'error' && !/^Failed to load resource: .* status of 4/.test(message.text())) {
        screen.errors.push(message.text());
      }
    });
    page.on('request', (asked) => {
      // Strict profiles refuse a login that is bound to nothing.
      if (asked.url().includes('/identity/resources/auth/') && !/^[0-9a-f]{32}$/.test(asked.headers()['countersign-nonce'] ?? '')) {
        screen.errors.push(`${asked.url()} is bound to nothing`);
      }
    });
    page.on('response', (answer) => {
      const { pathname } = new URL(answer.url());
      if (answer.status() >= 400) screen.refused.push(`${answer.status()} ${answer.request().method()} ${pathname.replace(/[0-9a-f-]{32,36}/, "DEVICE")}`);
    });
    await screen.plug();
    await page.goto(url);
    return screen;
  }

  /** An authenticator that is a part of this device (WebAuthn Level 3, section 11). */
  async plug() {
    const cdp = await this.page.context().newCDPSession(this.page);
    await cdp.send('WebAuthn.enable');
    await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true,
        isUserVerified: true, automaticPresenceSimulation: true,
      },
    });
  }

  /** Waits for a view, and looks at it as axe does: in light and dark, on a phone and on a desk. */
  async sees(view, as = view) {
    await this.page.waitForSelector(`[data-view="${view}"]:not([hidden])`);
    assert.equal(await this.page.locator('[data-view]:not([hidden])').count(), 1, 'one view at a time');
    if (!this.looked.has(as)) await this.look(as);
  }

  looked = new Set();

  async look(as) {
    this.looked.add(as);
    await this.page.evaluate(axe);
    for (const [device, width] of Object.entries(WIDTHS)) {
      for (const colorScheme of ['light', 'dark']) {
        await this.page.setViewportSize({ width, height: 740 });
        await this.page.emulateMedia({ colorScheme });
        const { wide, violations } = await this.page.evaluate(async () => ({
          wide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
          violations: (await window.axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html)}`),
        }));
        assert.deepEqual(violations, [], `${as}, ${device}, ${colorScheme}`);
        assert.ok(!wide, `${as} is wider than a ${device}`);
        if (pictures) await this.page.screenshot({ path: join(pictures, `${as}-${device}-${colorScheme}.png`), fullPage: true });
      }
    }
    await this.page.setViewportSize({ width: WIDTHS.phone, height: 740 });
    await this.page.emulateMedia({ colorScheme: 'light' });
  }

  /** The part of the page that is shown. */
  shown(css) {
    return this.page.locator(`[data-view]:not([hidden]) ${css}`);
  }

  click = (css) => this.shown(css).click();
  write = (css, text) => this.shown(css).fill(text);
  text = (css) => this.shown(css).innerText();
  submit = () => this.click('[type="submit"]');

  /** Waits until an element says this. */
  async says(css, text) {
    await this.shown(css).filter({ hasText: text }).waitFor();
  }

  /** Answers the question whether it is meant. */
  async confirm() {
    await this.page.waitForSelector('dialog[open]');
    if (!this.looked.has('sure')) await this.look('sure');
    await this.page.click('#sure-yes');
  }

  /** Goes on by the Tab key alone until this element has the focus, which must be seen. */
  async tab(css) {
    for (let step = 0; step < 30; step += 1) {
      await this.page.keyboard.press('Tab');
      const at = await this.page.evaluate((wanted) => {
        const { activeElement } = document;
        return activeElement.matches(wanted) && getComputedStyle(activeElement).outlineStyle;
      }, css);
      if (at) return assert.equal(at, 'solid', `${css} shows that it has the focus`);
    }
    return assert.fail(`no way by the keyboard to ${css}`);
  }

  type = (text) => this.page.keyboard.type(text);
  press = (key) => this.page.keyboard.press(key);
}
