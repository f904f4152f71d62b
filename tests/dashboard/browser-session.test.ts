import { SignJWT } from 'jose';
import type { Page, Route } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { testKeys } from '../support/drivers.ts';
import { useDashboard } from '../support/dashboard.ts';

const dashboard = useDashboard();

describe('the printed link', () => {
  test('signs in, leaves no code in the address, and the session outlasts a reload', async () => {
    const page = await dashboard.newPage();
    await page.goto(dashboard.host().signInUrl());
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    expect(page.url()).not.toContain('token_hash');
    await page.reload();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await page.getByText('No job has been enqueued yet').waitFor();
  });

  test('without it, the page says where to find one', async () => {
    const page = await dashboard.newPage();
    await page.goto(dashboard.host().url);
    await page.getByText('Open the link that npm start prints').waitFor();
    expect(await page.getByRole('navigation').count()).toBe(0);
  });

  test('signing out ends the session', async () => {
    const page = await dashboard.signedIn();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('Open the link that npm start prints').waitFor();
    await page.reload();
    await page.getByText('Open the link that npm start prints').waitFor();
  });
});

describe('Supabase Auth', () => {
  /** A user's access token, as Supabase Auth makes it. */
  async function session(email: string, role: string | undefined) {
    const claims = { role: 'authenticated', email, app_metadata: role ? { role } : {} };
    const token = new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1h');
    const sub = 'b0000000-0000-4000-8000-000000000001';
    return {
      access_token: await token.setSubject(sub).sign(new TextEncoder().encode(testKeys.jwtSecret)),
      token_type: 'bearer',
      expires_in: 3600,
      expires_at: Math.floor(Date.now() / 1000) + 3600,
      refresh_token: 'refresh',
      user: {
        id: sub,
        aud: 'authenticated',
        email,
        app_metadata: claims.app_metadata,
        user_metadata: {},
        created_at: '',
      },
    };
  }

  /** Hosted Supabase has passwords and links by mail; the local gateway has not. */
  async function openHosted(role: string | undefined): Promise<{ page: Page; mailedTo: string[] }> {
    const page = await dashboard.newPage();
    const mailedTo: string[] = [];
    const { url, gatewayUrl } = dashboard.host();
    const config = { supabaseUrl: gatewayUrl, publishableKey: testKeys.publishable };
    await page.route('**/config.json', async (route) => await route.fulfill({ json: config }));
    await page.route('**/auth/v1/token?grant_type=password', async (route: Route) => {
      const { email } = route.request().postDataJSON() as { email: string };
      await route.fulfill({ json: await session(email, role) });
    });
    await page.route('**/auth/v1/otp*', async (route: Route) => {
      mailedTo.push((route.request().postDataJSON() as { email: string }).email);
      await route.fulfill({ json: {} });
    });
    await page.goto(url);
    await page.getByLabel('E-mail').fill('ada@example.com');
    return { page, mailedTo };
  }

  test('lets an operator in by password', async () => {
    const { page } = await openHosted('job_operator');
    await page.getByLabel('Password', { exact: true }).fill('correct horse');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await page.getByText('Throughput').waitFor();
  });

  test('tells somebody without the role what is missing, and how it is given', async () => {
    const { page } = await openHosted(undefined);
    await page.getByLabel('Password', { exact: true }).fill('correct horse');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'No access' }).waitFor();
    await page.getByText('raw_app_meta_data').waitFor();
    await page.getByText('ada@example.com', { exact: true }).waitFor();
  });

  test('mails a link when no password is given', async () => {
    const { page, mailedTo } = await openHosted('job_operator');
    await page.getByRole('button', { name: 'Send me a link' }).click();
    await page.getByText('A link is on its way to ada@example.com').waitFor();
    expect(mailedTo).toEqual(['ada@example.com']);
  });
});

test('a secret key in config.json is refused, and not shown', async () => {
  const page = await dashboard.newPage();
  const config = { supabaseUrl: 'https://example.supabase.co', publishableKey: 'sb_secret_do_not_show' };
  await page.route('**/config.json', async (route) => await route.fulfill({ json: config }));
  await page.goto(dashboard.host().url);
  await page.getByText('expected a publishable key, got a secret one').waitFor();
  expect(await page.content()).not.toContain('do_not_show');
});

test('while the database does not answer, what was last seen stays, with a way to ask again', async () => {
  const page = await dashboard.signedIn();
  await page.getByText('Throughput').waitFor();
  dashboard.expectComplaint(/503/);
  await page.route('**/rpc/operator_*', async (route) => {
    const headers = { 'access-control-allow-origin': '*' };
    await route.fulfill({ status: 503, headers, json: { message: 'The upstream did not answer' } });
  });
  await page.getByText('The upstream did not answer').first().waitFor();
  await page.getByText('not up to date').waitFor();
  expect(await page.getByText('Throughput').count()).toBe(1);
  await page.unrouteAll();
  await page.getByRole('button', { name: 'Ask again' }).first().click();
  await page.getByText('live', { exact: true }).waitFor();
});
