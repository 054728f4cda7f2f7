import type { Browser, Locator, Page } from 'playwright-core';
import type { PageAfterwards, User, Values } from './user.js';

/** A user of the real page, in a browser, which is closed with the user. */
export async function browserUser(browser: Browser, url: string): Promise<User> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(url);

  async function send(values: Values): Promise<PageAfterwards> {
    const fields = Object.entries(values).map(([name, value]) => ({ name, value, at: fieldOf(page, name) }));
    for (const { at, value } of fields) await put(at, value);
    const inputs = await Promise.all(
      fields.map(async ({ name, at }) => [name, await at.inputValue()] as const),
    );
    await page.locator('button[type=submit]').click();
    await page.locator('form[aria-busy=true]').waitFor({ state: 'detached' });
    return {
      fields: Object.fromEntries(inputs),
      logged: (await page.locator('#hop-server pre').textContent()) ?? '',
      confirmed: (await page.locator('#hop-aggregator dd').allTextContents()).join('\n'),
      left: await leftIn(page),
      complaints: complaints.splice(0),
    };
  }

  return {
    place: { kind: 'browser', version: browser.version() },
    async signIn({ name }, values) {
      const bank = page.getByRole('button', { name, exact: true });
      const another = page.getByRole('button', { name: /another bank$/ });
      await bank.or(another).first().waitFor();
      if (await another.isVisible()) await another.click();
      await bank.click();
      return send(values);
    },
    complete: send,
    close: () => browser.close(),
  };
}

function fieldOf(page: Page, name: string): Locator {
  return page.locator(`[id="field-${name}"]`);
}

async function put(field: Locator, value: string): Promise<void> {
  const isList = (await field.getAttribute('type')) === null;
  await (isList ? field.selectOption(value) : field.fill(value));
}

/** Everything in which a page could have kept what was typed, as text. */
async function leftIn(page: Page): Promise<string> {
  const places = await page.evaluate(`JSON.stringify([
    document.documentElement.outerHTML,
    [...document.querySelectorAll('input, select')].map(({ value }) => value),
    { ...localStorage }, { ...sessionStorage }, document.cookie, location.href, history.state, window.name,
  ])`);
  return String(places);
}
