import type { ReactNode } from 'react';
import { JobMonitor } from '../job-monitor.tsx';
import { readDashboardConfig } from './dashboard-config.ts';
import { signInByAddress } from './sign-in-link.ts';
import { createDashboardClient } from './supabase-client.ts';

/** The monitor on the project of `config.json`; what is wrong with the configuration instead, when it is. */
export async function openDashboard(): Promise<ReactNode> {
  try {
    const config = await readDashboardConfig(fetch, import.meta.env.BASE_URL);
    const client = createDashboardClient(config);
    const problem = await signInByAddress(client.auth, window);
    return (
      <JobMonitor
        client={client}
        inngestRunUrl={config.inngestRunUrl}
        signIn={{ byPrintedLink: config.local, problem }}
      />
    );
  } catch (error) {
    return (
      <main role="alert" style={{ maxWidth: '40rem', margin: '4rem auto', fontFamily: 'system-ui' }}>
        <h1>The dashboard cannot start</h1>
        <p>{error instanceof Error ? error.message : String(error)}</p>
      </main>
    );
  }
}
