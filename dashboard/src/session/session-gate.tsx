import { Button, Code, Paper, Stack, Text, Title } from '@mantine/core';
import { lazy, Suspense, type ReactNode } from 'react';
import { Loading } from '../components/answers.tsx';
import type { JobMonitorClient } from '../data/client.ts';
import classes from './session-gate.module.css';
import type { SignInOptions } from './sign-in-options.ts';
import { useSession } from './use-session.ts';

const SignInForm = lazy(() => import('./sign-in-form.tsx'));

/** The role that the database asks for in each call; here it only decides what to say. */
const OPERATOR = 'job_operator';

/** Lets operators in; everybody else is told what to do. */
export function SessionGate({
  client,
  signIn = {},
  children,
}: {
  client: JobMonitorClient;
  signIn?: SignInOptions;
  children: (email: string | undefined) => ReactNode;
}) {
  const session = useSession(client);
  if (session === undefined) return <Loading />;
  if (session === null)
    return (
      <Door title="Sign in">
        <Suspense fallback={<Loading lines={3} />}>
          <SignInForm auth={client.auth} {...signIn} />
        </Suspense>
      </Door>
    );
  const { user } = session;
  if (user.app_metadata['role'] !== OPERATOR)
    return (
      <Door title="No access">
        <NotAnOperator email={user.email ?? user.id} onSignOut={() => void client.auth.signOut()} />
      </Door>
    );
  return children(user.email);
}

function Door({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className={classes.door}>
      <Paper withBorder p="xl" className={classes.panel}>
        <Stack gap="md">
          <Title order={1} size="h3">
            {title}
          </Title>
          {children}
        </Stack>
      </Paper>
    </main>
  );
}

function NotAnOperator({ email, onSignOut }: { email: string; onSignOut: () => void }) {
  return (
    <>
      <Text size="sm">
        You are signed in as <strong>{email}</strong>, who is not an operator of these jobs. Somebody with
        access to the database can change that:
      </Text>
      <Code block tabIndex={0} role="region" aria-label="SQL that makes an operator">
        {`update auth.users set raw_app_meta_data =\n  raw_app_meta_data || '{"role": "${OPERATOR}"}'\nwhere email = '${email.replace(/'/g, "''")}';`}
      </Code>
      <Text size="sm">Sign in again afterwards.</Text>
      <Button variant="default" onClick={onSignOut}>
        Sign out
      </Button>
    </>
  );
}
