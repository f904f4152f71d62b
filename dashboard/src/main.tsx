import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { openDashboard } from './app/open-dashboard.tsx';

const root = document.getElementById('root');
if (!root) throw new Error('index.html: expected an element with the id root');
createRoot(root).render(<StrictMode>{await openDashboard()}</StrictMode>);
