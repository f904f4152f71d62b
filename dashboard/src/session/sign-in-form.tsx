import { Alert, Button, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import type { MonitorAuth } from '../data/client.ts';
import type { SignInOptions } from './sign-in-options.ts';

/** Sign-in through Supabase Auth: with a password, or by a link that is sent to the address. */
export default function SignInForm({ auth, byPrintedLink, problem }: SignInOptions & { auth: MonitorAuth }) {
  return (
    <>
      {problem && (
        <Alert color="red" variant="outline" role="alert" title="The link did not sign you in">
          {problem}
        </Alert>
      )}
      {byPrintedLink ? <PrintedLink /> : <EmailForm auth={auth} />}
    </>
  );
}

function PrintedLink() {
  return (
    <Text size="sm">
      Open the link that <strong>npm start</strong> prints in its terminal. It works once; start the stack
      again for another one.
    </Text>
  );
}

function EmailForm({ auth }: { auth: MonitorAuth }) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const {
    mutate,
    error,
    isPending,
    data: said,
  } = useMutation({
    mutationFn: () => (password === '' ? sendLink(auth, email) : withPassword(auth, email, password)),
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        mutate();
      }}
    >
      <Stack gap="sm">
        <TextInput
          label="E-mail"
          type="email"
          autoComplete="username"
          required
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <PasswordInput
          label="Password"
          description="Leave it empty to get a link by e-mail instead."
          autoComplete="current-password"
          visibilityToggleButtonProps={{ 'aria-label': 'Show the password' }}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        {error && <Alert color="red" variant="outline" role="alert" title={error.message} />}
        {said && (
          <Text size="sm" role="status">
            {said}
          </Text>
        )}
        <Button type="submit" loading={isPending}>
          {password === '' ? 'Send me a link' : 'Sign in'}
        </Button>
      </Stack>
    </form>
  );
}

async function withPassword(auth: MonitorAuth, email: string, password: string): Promise<string> {
  const { error } = await auth.signInWithPassword({ email, password });
  if (error) throw error;
  return 'Signed in.';
}

/** Nobody gets an account by asking for one. */
async function sendLink(auth: MonitorAuth, email: string): Promise<string> {
  const emailRedirectTo = window.location.href.split('#')[0];
  const { error } = await auth.signInWithOtp({
    email,
    options: { emailRedirectTo, shouldCreateUser: false },
  });
  if (error) throw error;
  return `A link is on its way to ${email}. Open it in this browser.`;
}
