// Made from the migrations by `npm run types:generate`; edits are lost.

export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

export type Database = {
  public: {
    Tables: {
      ai_usage: {
        Row: {
          cost_micro_usd: number;
          day: string;
          input_tokens: number;
          model: string;
          output_tokens: number;
          provider: string;
          purpose: string;
          requests: number;
          user_id: string | null;
        };
        Insert: {
          cost_micro_usd?: number;
          day: string;
          input_tokens?: number;
          model: string;
          output_tokens?: number;
          provider: string;
          purpose: string;
          requests?: number;
          user_id?: string | null;
        };
        Update: {
          cost_micro_usd?: number;
          day?: string;
          input_tokens?: number;
          model?: string;
          output_tokens?: number;
          provider?: string;
          purpose?: string;
          requests?: number;
          user_id?: string | null;
        };
        Relationships: [];
      };
      analysis_commits: {
        Row: {
          additions: number;
          analysis_id: string;
          author: string;
          authored_at: string;
          deletions: number;
          files: Json | null;
          headline: string;
          is_bot: boolean;
          parents: number;
          position: number;
          sha: string;
          utc_offset_minutes: number | null;
        };
        Insert: {
          additions: number;
          analysis_id: string;
          author: string;
          authored_at: string;
          deletions: number;
          files?: Json | null;
          headline: string;
          is_bot: boolean;
          parents: number;
          position: number;
          sha: string;
          utc_offset_minutes?: number | null;
        };
        Update: {
          additions?: number;
          analysis_id?: string;
          author?: string;
          authored_at?: string;
          deletions?: number;
          files?: Json | null;
          headline?: string;
          is_bot?: boolean;
          parents?: number;
          position?: number;
          sha?: string;
          utc_offset_minutes?: number | null;
        };
        Relationships: [
          {
            foreignKeyName: 'analysis_commits_analysis_id_fkey';
            columns: ['analysis_id'];
            referencedRelation: 'analysis_jobs';
            referencedColumns: ['id'];
          },
        ];
      };
      analysis_jobs: {
        Row: {
          completed_at: string | null;
          created_at: string;
          error: string | null;
          id: string;
          job_id: string | null;
          repository_id: string | null;
          result: Json | null;
          started_at: string | null;
          status: string;
          user_id: string;
        };
        Insert: {
          completed_at?: string | null;
          created_at?: string;
          error?: string | null;
          id?: string;
          job_id?: string | null;
          repository_id?: string | null;
          result?: Json | null;
          started_at?: string | null;
          status?: string;
          user_id: string;
        };
        Update: {
          completed_at?: string | null;
          created_at?: string;
          error?: string | null;
          id?: string;
          job_id?: string | null;
          repository_id?: string | null;
          result?: Json | null;
          started_at?: string | null;
          status?: string;
          user_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'analysis_jobs_repository_id_fkey';
            columns: ['repository_id'];
            referencedRelation: 'repositories';
            referencedColumns: ['id'];
          },
        ];
      };
      analysis_plans: {
        Row: {
          analyses_per_month: number | null;
          plan: string;
        };
        Insert: {
          analyses_per_month?: number | null;
          plan: string;
        };
        Update: {
          analyses_per_month?: number | null;
          plan?: string;
        };
        Relationships: [];
      };
      analysis_subscribers: {
        Row: {
          plan: string;
          user_id: string;
        };
        Insert: {
          plan: string;
          user_id: string;
        };
        Update: {
          plan?: string;
          user_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'analysis_subscribers_plan_fkey';
            columns: ['plan'];
            referencedRelation: 'analysis_plans';
            referencedColumns: ['plan'];
          },
        ];
      };
      background_job_attempts: {
        Row: {
          ended_at: string;
          error: Json | null;
          job_id: string;
          lane: string;
          number: number;
          outcome: string;
          started_at: string;
          worker: string | null;
        };
        Insert: {
          ended_at: string;
          error?: Json | null;
          job_id: string;
          lane: string;
          number: number;
          outcome: string;
          started_at: string;
          worker?: string | null;
        };
        Update: {
          ended_at?: string;
          error?: Json | null;
          job_id?: string;
          lane?: string;
          number?: number;
          outcome?: string;
          started_at?: string;
          worker?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: 'background_job_attempts_job';
            columns: ['job_id'];
            referencedRelation: 'background_jobs';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'background_job_attempts_job';
            columns: ['job_id'];
            referencedRelation: 'dead_letter_jobs';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'background_job_attempts_job';
            columns: ['job_id'];
            referencedRelation: 'stuck_jobs';
            referencedColumns: ['id'];
          },
        ];
      };
      background_job_callbacks: {
        Row: {
          body: string;
          job_id: string;
          url: string;
        };
        Insert: {
          body: string;
          job_id: string;
          url: string;
        };
        Update: {
          body?: string;
          job_id?: string;
          url?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'background_job_callbacks_job';
            columns: ['job_id'];
            referencedRelation: 'background_jobs';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'background_job_callbacks_job';
            columns: ['job_id'];
            referencedRelation: 'dead_letter_jobs';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'background_job_callbacks_job';
            columns: ['job_id'];
            referencedRelation: 'stuck_jobs';
            referencedColumns: ['id'];
          },
        ];
      };
      background_job_dependencies: {
        Row: {
          job_id: string;
          on_failure: string;
          parent_id: string;
          settled: boolean;
        };
        Insert: {
          job_id: string;
          on_failure: string;
          parent_id: string;
          settled?: boolean;
        };
        Update: {
          job_id?: string;
          on_failure?: string;
          parent_id?: string;
          settled?: boolean;
        };
        Relationships: [
          {
            foreignKeyName: 'background_job_dependencies_job';
            columns: ['job_id'];
            referencedRelation: 'background_jobs';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'background_job_dependencies_job';
            columns: ['job_id'];
            referencedRelation: 'dead_letter_jobs';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'background_job_dependencies_job';
            columns: ['job_id'];
            referencedRelation: 'stuck_jobs';
            referencedColumns: ['id'];
          },
        ];
      };
      background_job_ends: {
        Row: {
          actives: number[] | null;
          created: number;
          created_hour: number;
          dead: number;
          durations: number[] | null;
          ended_at: string;
          jobs: number;
          outcome: string | null;
          type: string;
          waits: number[] | null;
        };
        Insert: {
          actives?: number[] | null;
          created: number;
          created_hour: number;
          dead?: number;
          durations?: number[] | null;
          ended_at: string;
          jobs: number;
          outcome?: string | null;
          type: string;
          waits?: number[] | null;
        };
        Update: {
          actives?: number[] | null;
          created?: number;
          created_hour?: number;
          dead?: number;
          durations?: number[] | null;
          ended_at?: string;
          jobs?: number;
          outcome?: string | null;
          type?: string;
          waits?: number[] | null;
        };
        Relationships: [];
      };
      background_job_freed_keys: {
        Row: {
          concurrency_keys: string[];
          keys: number;
        };
        Insert: {
          concurrency_keys: string[];
          keys?: never;
        };
        Update: {
          concurrency_keys?: string[];
          keys?: never;
        };
        Relationships: [];
      };
      background_job_leases: {
        Row: {
          claimed_at: string;
          job_ids: string[];
          lane: string;
          lease_until: string;
          remaining: number;
          slot_job_ids: string[] | null;
          slot_keys: string[] | null;
          token: string;
          worker: string;
        };
        Insert: {
          claimed_at: string;
          job_ids: string[];
          lane: string;
          lease_until: string;
          remaining: number;
          slot_job_ids?: string[] | null;
          slot_keys?: string[] | null;
          token: string;
          worker: string;
        };
        Update: {
          claimed_at?: string;
          job_ids?: string[];
          lane?: string;
          lease_until?: string;
          remaining?: number;
          slot_job_ids?: string[] | null;
          slot_keys?: string[] | null;
          token?: string;
          worker?: string;
        };
        Relationships: [];
      };
      background_job_offers: {
        Row: {
          handed_at: string | null;
          job_id: string | null;
          lane: string;
          lease_seconds: number;
          lease_token: string;
          offer: string;
          renewed_at: string;
          worker: string;
        };
        Insert: {
          handed_at?: string | null;
          job_id?: string | null;
          lane: string;
          lease_seconds: number;
          lease_token?: string;
          offer: string;
          renewed_at?: string;
          worker: string;
        };
        Update: {
          handed_at?: string | null;
          job_id?: string | null;
          lane?: string;
          lease_seconds?: number;
          lease_token?: string;
          offer?: string;
          renewed_at?: string;
          worker?: string;
        };
        Relationships: [];
      };
      background_job_ready: {
        Row: {
          concurrency_key: string | null;
          concurrency_limit: number | null;
          expires_at: string;
          id: string;
          lane: string;
          line_at: string | null;
          run_at: string;
          sort_at: string;
          type: string;
        };
        Insert: {
          concurrency_key?: string | null;
          concurrency_limit?: number | null;
          expires_at: string;
          id: string;
          lane: string;
          line_at?: string | null;
          run_at: string;
          sort_at: string;
          type: string;
        };
        Update: {
          concurrency_key?: string | null;
          concurrency_limit?: number | null;
          expires_at?: string;
          id?: string;
          lane?: string;
          line_at?: string | null;
          run_at?: string;
          sort_at?: string;
          type?: string;
        };
        Relationships: [];
      };
      background_job_slots: {
        Row: {
          concurrency_key: string;
          job_id: string;
        };
        Insert: {
          concurrency_key: string;
          job_id: string;
        };
        Update: {
          concurrency_key?: string;
          job_id?: string;
        };
        Relationships: [];
      };
      background_job_steps: {
        Row: {
          job_id: string;
          name: string;
          output: Json | null;
          saved_at: string;
        };
        Insert: {
          job_id: string;
          name: string;
          output?: Json | null;
          saved_at?: string;
        };
        Update: {
          job_id?: string;
          name?: string;
          output?: Json | null;
          saved_at?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'background_job_steps_job';
            columns: ['job_id'];
            referencedRelation: 'background_jobs';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'background_job_steps_job';
            columns: ['job_id'];
            referencedRelation: 'dead_letter_jobs';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'background_job_steps_job';
            columns: ['job_id'];
            referencedRelation: 'stuck_jobs';
            referencedColumns: ['id'];
          },
        ];
      };
      background_job_wakes: {
        Row: {
          isolates: number;
          lane: string;
          problem: string | null;
          woken_at: string | null;
        };
        Insert: {
          isolates?: number;
          lane: string;
          problem?: string | null;
          woken_at?: string | null;
        };
        Update: {
          isolates?: number;
          lane?: string;
          problem?: string | null;
          woken_at?: string | null;
        };
        Relationships: [];
      };
      background_job_workers: {
        Row: {
          idle: boolean;
          lanes: string[];
          seen_at: string;
          started_at: string;
          worker: string;
        };
        Insert: {
          idle: boolean;
          lanes: string[];
          seen_at?: string;
          started_at?: string;
          worker: string;
        };
        Update: {
          idle?: boolean;
          lanes?: string[];
          seen_at?: string;
          started_at?: string;
          worker?: string;
        };
        Relationships: [];
      };
      background_jobs: {
        Row: {
          active_ms: number;
          callback_url: string | null;
          cancel_reason: string | null;
          cancel_requested_at: string | null;
          completed_at: string | null;
          concurrency_key: string | null;
          concurrency_limit: number | null;
          created_at: string;
          duration_ms: number | null;
          error: string | null;
          expires_at: string;
          failed_at: string | null;
          failure_reason: string | null;
          id: string;
          idempotency_key: string | null;
          inngest_event_id: string | null;
          inngest_run_id: string | null;
          lane: string;
          lease_token: string | null;
          lease_until: string | null;
          max_retries: number;
          payload: NonNullable<Json>;
          priority: number;
          progress: number | null;
          progress_message: string | null;
          repository_id: string | null;
          result: Json | null;
          retry_count: number;
          revision: number;
          run_at: string;
          started_at: string | null;
          status: string;
          step_saved: boolean;
          timeout_seconds: number;
          type: string;
        };
        Insert: {
          active_ms?: number;
          callback_url?: string | null;
          cancel_reason?: string | null;
          cancel_requested_at?: string | null;
          completed_at?: string | null;
          concurrency_key?: string | null;
          concurrency_limit?: number | null;
          created_at?: string;
          duration_ms?: number | null;
          error?: string | null;
          expires_at: string;
          failed_at?: string | null;
          failure_reason?: string | null;
          id?: string;
          idempotency_key?: string | null;
          inngest_event_id?: string | null;
          inngest_run_id?: string | null;
          lane: string;
          lease_token?: string | null;
          lease_until?: string | null;
          max_retries: number;
          payload?: NonNullable<Json>;
          priority: number;
          progress?: number | null;
          progress_message?: string | null;
          repository_id?: string | null;
          result?: Json | null;
          retry_count?: number;
          revision?: number;
          run_at?: string;
          started_at?: string | null;
          status?: string;
          step_saved?: boolean;
          timeout_seconds: number;
          type: string;
        };
        Update: {
          active_ms?: number;
          callback_url?: string | null;
          cancel_reason?: string | null;
          cancel_requested_at?: string | null;
          completed_at?: string | null;
          concurrency_key?: string | null;
          concurrency_limit?: number | null;
          created_at?: string;
          duration_ms?: number | null;
          error?: string | null;
          expires_at?: string;
          failed_at?: string | null;
          failure_reason?: string | null;
          id?: string;
          idempotency_key?: string | null;
          inngest_event_id?: string | null;
          inngest_run_id?: string | null;
          lane?: string;
          lease_token?: string | null;
          lease_until?: string | null;
          max_retries?: number;
          payload?: NonNullable<Json>;
          priority?: number;
          progress?: number | null;
          progress_message?: string | null;
          repository_id?: string | null;
          result?: Json | null;
          retry_count?: number;
          revision?: number;
          run_at?: string;
          started_at?: string | null;
          status?: string;
          step_saved?: boolean;
          timeout_seconds?: number;
          type?: string;
        };
        Relationships: [];
      };
      callback_endpoints: {
        Row: {
          allow_private: boolean;
          created_at: string;
          disabled_at: string | null;
          disabled_reason: string | null;
          enabled: boolean;
          previous_secret: string | null;
          previous_secret_until: string | null;
          secret: string;
          url: string;
        };
        Insert: {
          allow_private: boolean;
          created_at?: string;
          disabled_at?: string | null;
          disabled_reason?: string | null;
          enabled?: boolean;
          previous_secret?: string | null;
          previous_secret_until?: string | null;
          secret: string;
          url: string;
        };
        Update: {
          allow_private?: boolean;
          created_at?: string;
          disabled_at?: string | null;
          disabled_reason?: string | null;
          enabled?: boolean;
          previous_secret?: string | null;
          previous_secret_until?: string | null;
          secret?: string;
          url?: string;
        };
        Relationships: [];
      };
      comments: {
        Row: {
          body: string | null;
          comment_type: string;
          commenter_id: string | null;
          created_at: string;
          github_id: number;
          html_url: string | null;
          id: string;
          in_reply_to_github_id: number | null;
          issue_id: string | null;
          last_synced_at: string;
          line: number | null;
          path: string | null;
          pull_request_id: string | null;
          review_github_id: number | null;
          updated_at: string;
        };
        Insert: {
          body?: string | null;
          comment_type: string;
          commenter_id?: string | null;
          created_at: string;
          github_id: number;
          html_url?: string | null;
          id?: string;
          in_reply_to_github_id?: number | null;
          issue_id?: string | null;
          last_synced_at?: string;
          line?: number | null;
          path?: string | null;
          pull_request_id?: string | null;
          review_github_id?: number | null;
          updated_at: string;
        };
        Update: {
          body?: string | null;
          comment_type?: string;
          commenter_id?: string | null;
          created_at?: string;
          github_id?: number;
          html_url?: string | null;
          id?: string;
          in_reply_to_github_id?: number | null;
          issue_id?: string | null;
          last_synced_at?: string;
          line?: number | null;
          path?: string | null;
          pull_request_id?: string | null;
          review_github_id?: number | null;
          updated_at?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'comments_commenter_id_fkey';
            columns: ['commenter_id'];
            referencedRelation: 'contributors';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'comments_issue_id_fkey';
            columns: ['issue_id'];
            referencedRelation: 'issues';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'comments_pull_request_id_fkey';
            columns: ['pull_request_id'];
            referencedRelation: 'pull_requests';
            referencedColumns: ['id'];
          },
        ];
      };
      contributors: {
        Row: {
          account_type: string;
          avatar_url: string | null;
          github_id: number;
          id: string;
          is_bot: boolean;
          last_synced_at: string;
          username: string;
        };
        Insert: {
          account_type: string;
          avatar_url?: string | null;
          github_id: number;
          id?: string;
          is_bot?: boolean;
          last_synced_at?: string;
          username: string;
        };
        Update: {
          account_type?: string;
          avatar_url?: string | null;
          github_id?: number;
          id?: string;
          is_bot?: boolean;
          last_synced_at?: string;
          username?: string;
        };
        Relationships: [];
      };
      discussion_comments: {
        Row: {
          author_id: string | null;
          body: string | null;
          created_at: string;
          deleted_at: string | null;
          discussion_id: string;
          github_id: number;
          html_url: string | null;
          id: string;
          is_answer: boolean;
          last_synced_at: string;
          parent_github_id: number | null;
          updated_at: string;
          upvotes: number;
        };
        Insert: {
          author_id?: string | null;
          body?: string | null;
          created_at: string;
          deleted_at?: string | null;
          discussion_id: string;
          github_id: number;
          html_url?: string | null;
          id?: string;
          is_answer?: boolean;
          last_synced_at?: string;
          parent_github_id?: number | null;
          updated_at: string;
          upvotes?: number;
        };
        Update: {
          author_id?: string | null;
          body?: string | null;
          created_at?: string;
          deleted_at?: string | null;
          discussion_id?: string;
          github_id?: number;
          html_url?: string | null;
          id?: string;
          is_answer?: boolean;
          last_synced_at?: string;
          parent_github_id?: number | null;
          updated_at?: string;
          upvotes?: number;
        };
        Relationships: [
          {
            foreignKeyName: 'discussion_comments_author_id_fkey';
            columns: ['author_id'];
            referencedRelation: 'contributors';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'discussion_comments_discussion_id_fkey';
            columns: ['discussion_id'];
            referencedRelation: 'discussions';
            referencedColumns: ['id'];
          },
        ];
      };
      discussions: {
        Row: {
          answer_chosen_at: string | null;
          answer_chosen_by_id: string | null;
          answer_github_id: number | null;
          author_id: string | null;
          body: string | null;
          category: string;
          closed_at: string | null;
          created_at: string;
          github_id: number;
          html_url: string | null;
          id: string;
          is_answered: boolean | null;
          last_synced_at: string;
          locked: boolean;
          number: number;
          repository_id: string;
          state: string;
          state_reason: string | null;
          title: string;
          updated_at: string;
          upvotes: number;
        };
        Insert: {
          answer_chosen_at?: string | null;
          answer_chosen_by_id?: string | null;
          answer_github_id?: number | null;
          author_id?: string | null;
          body?: string | null;
          category: string;
          closed_at?: string | null;
          created_at: string;
          github_id: number;
          html_url?: string | null;
          id?: string;
          is_answered?: boolean | null;
          last_synced_at?: string;
          locked?: boolean;
          number: number;
          repository_id: string;
          state: string;
          state_reason?: string | null;
          title: string;
          updated_at: string;
          upvotes?: number;
        };
        Update: {
          answer_chosen_at?: string | null;
          answer_chosen_by_id?: string | null;
          answer_github_id?: number | null;
          author_id?: string | null;
          body?: string | null;
          category?: string;
          closed_at?: string | null;
          created_at?: string;
          github_id?: number;
          html_url?: string | null;
          id?: string;
          is_answered?: boolean | null;
          last_synced_at?: string;
          locked?: boolean;
          number?: number;
          repository_id?: string;
          state?: string;
          state_reason?: string | null;
          title?: string;
          updated_at?: string;
          upvotes?: number;
        };
        Relationships: [
          {
            foreignKeyName: 'discussions_answer_chosen_by_id_fkey';
            columns: ['answer_chosen_by_id'];
            referencedRelation: 'contributors';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'discussions_author_id_fkey';
            columns: ['author_id'];
            referencedRelation: 'contributors';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'discussions_repository_id_fkey';
            columns: ['repository_id'];
            referencedRelation: 'repositories';
            referencedColumns: ['id'];
          },
        ];
      };
      embedded_repositories: {
        Row: {
          model: string;
          repository_id: string;
        };
        Insert: {
          model: string;
          repository_id: string;
        };
        Update: {
          model?: string;
          repository_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'embedded_repositories_repository_id_fkey';
            columns: ['repository_id'];
            referencedRelation: 'repositories';
            referencedColumns: ['id'];
          },
        ];
      };
      embedding_due: {
        Row: {
          changed_at: string;
          item_id: string;
          item_type: string;
          model: string;
          repository_id: string;
        };
        Insert: {
          changed_at: string;
          item_id: string;
          item_type: string;
          model: string;
          repository_id: string;
        };
        Update: {
          changed_at?: string;
          item_id?: string;
          item_type?: string;
          model?: string;
          repository_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'embedding_due_repository_id_fkey';
            columns: ['repository_id'];
            referencedRelation: 'repositories';
            referencedColumns: ['id'];
          },
        ];
      };
      embeddings: {
        Row: {
          content_hash: string;
          dimensions: number | null;
          embedded_at: string;
          error: string | null;
          item_id: string;
          item_type: string;
          model: string;
          repository_id: string;
          tokens: number;
          vector: number[] | null;
        };
        Insert: {
          content_hash: string;
          dimensions?: number | null;
          embedded_at?: string;
          error?: string | null;
          item_id: string;
          item_type: string;
          model: string;
          repository_id: string;
          tokens?: number;
          vector?: number[] | null;
        };
        Update: {
          content_hash?: string;
          dimensions?: number | null;
          embedded_at?: string;
          error?: string | null;
          item_id?: string;
          item_type?: string;
          model?: string;
          repository_id?: string;
          tokens?: number;
          vector?: number[] | null;
        };
        Relationships: [
          {
            foreignKeyName: 'embeddings_repository_id_fkey';
            columns: ['repository_id'];
            referencedRelation: 'repositories';
            referencedColumns: ['id'];
          },
        ];
      };
      issues: {
        Row: {
          author_id: string | null;
          body: string | null;
          closed_at: string | null;
          comments_pages_left: number;
          comments_synced_at: string | null;
          comments_synced_until: string | null;
          created_at: string;
          github_id: number;
          html_url: string | null;
          id: string;
          last_synced_at: string;
          number: number;
          repository_id: string;
          state: string;
          state_reason: string | null;
          title: string;
          updated_at: string;
        };
        Insert: {
          author_id?: string | null;
          body?: string | null;
          closed_at?: string | null;
          comments_pages_left?: number;
          comments_synced_at?: string | null;
          comments_synced_until?: string | null;
          created_at: string;
          github_id: number;
          html_url?: string | null;
          id?: string;
          last_synced_at?: string;
          number: number;
          repository_id: string;
          state: string;
          state_reason?: string | null;
          title: string;
          updated_at: string;
        };
        Update: {
          author_id?: string | null;
          body?: string | null;
          closed_at?: string | null;
          comments_pages_left?: number;
          comments_synced_at?: string | null;
          comments_synced_until?: string | null;
          created_at?: string;
          github_id?: number;
          html_url?: string | null;
          id?: string;
          last_synced_at?: string;
          number?: number;
          repository_id?: string;
          state?: string;
          state_reason?: string | null;
          title?: string;
          updated_at?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'issues_author_id_fkey';
            columns: ['author_id'];
            referencedRelation: 'contributors';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'issues_repository_id_fkey';
            columns: ['repository_id'];
            referencedRelation: 'repositories';
            referencedColumns: ['id'];
          },
        ];
      };
      job_creations: {
        Row: {
          hour: string;
          jobs: number;
          type: string;
        };
        Insert: {
          hour: string;
          jobs: number;
          type: string;
        };
        Update: {
          hour?: string;
          jobs?: number;
          type?: string;
        };
        Relationships: [];
      };
      job_dead_letters: {
        Row: {
          jobs: number;
          type: string;
        };
        Insert: {
          jobs: number;
          type: string;
        };
        Update: {
          jobs?: number;
          type?: string;
        };
        Relationships: [];
      };
      job_lane_moves: {
        Row: {
          from_lane: string;
          jobs: number;
          moved_at: string;
          p95_active_ms: number;
          reason: string;
          to_lane: string;
          type: string;
        };
        Insert: {
          from_lane: string;
          jobs: number;
          moved_at?: string;
          p95_active_ms: number;
          reason: string;
          to_lane: string;
          type: string;
        };
        Update: {
          from_lane?: string;
          jobs?: number;
          moved_at?: string;
          p95_active_ms?: number;
          reason?: string;
          to_lane?: string;
          type?: string;
        };
        Relationships: [];
      };
      job_quotas: {
        Row: {
          allowance: number | null;
          blocked_until: string | null;
          quota: string;
          remaining: number | null;
          reported_at: string;
          resets_at: string | null;
          token: string;
        };
        Insert: {
          allowance?: number | null;
          blocked_until?: string | null;
          quota: string;
          remaining?: number | null;
          reported_at?: string;
          resets_at?: string | null;
          token: string;
        };
        Update: {
          allowance?: number | null;
          blocked_until?: string | null;
          quota?: string;
          remaining?: number | null;
          reported_at?: string;
          resets_at?: string | null;
          token?: string;
        };
        Relationships: [];
      };
      job_recent_ends: {
        Row: {
          actives: number[];
          durations: number[];
          ended_at: string[];
          type: string;
        };
        Insert: {
          actives: number[];
          durations: number[];
          ended_at: string[];
          type: string;
        };
        Update: {
          actives?: number[];
          durations?: number[];
          ended_at?: string[];
          type?: string;
        };
        Relationships: [];
      };
      job_rollup_progress: {
        Row: {
          grain: string;
          upto: string;
        };
        Insert: {
          grain: string;
          upto: string;
        };
        Update: {
          grain?: string;
          upto?: string;
        };
        Relationships: [];
      };
      job_rollups: {
        Row: {
          cancelled: number;
          completed: number;
          duration_buckets: number[] | null;
          duration_jobs: number[] | null;
          duration_totals: number[] | null;
          failed: number;
          grain: string;
          max_duration_ms: number | null;
          max_wait_ms: number | null;
          min_duration_ms: number | null;
          min_wait_ms: number | null;
          part: number;
          starts_at: string;
          type: string;
          wait_buckets: number[] | null;
          wait_jobs: number[] | null;
          wait_totals: number[] | null;
        };
        Insert: {
          cancelled: number;
          completed: number;
          duration_buckets?: number[] | null;
          duration_jobs?: number[] | null;
          duration_totals?: number[] | null;
          failed: number;
          grain: string;
          max_duration_ms?: number | null;
          max_wait_ms?: number | null;
          min_duration_ms?: number | null;
          min_wait_ms?: number | null;
          part?: never;
          starts_at: string;
          type: string;
          wait_buckets?: number[] | null;
          wait_jobs?: number[] | null;
          wait_totals?: number[] | null;
        };
        Update: {
          cancelled?: number;
          completed?: number;
          duration_buckets?: number[] | null;
          duration_jobs?: number[] | null;
          duration_totals?: number[] | null;
          failed?: number;
          grain?: string;
          max_duration_ms?: number | null;
          max_wait_ms?: number | null;
          min_duration_ms?: number | null;
          min_wait_ms?: number | null;
          part?: never;
          starts_at?: string;
          type?: string;
          wait_buckets?: number[] | null;
          wait_jobs?: number[] | null;
          wait_totals?: number[] | null;
        };
        Relationships: [];
      };
      job_schedules: {
        Row: {
          catch_up: string;
          created_at: string;
          cron: string;
          enabled: boolean;
          evaluated_until: string;
          name: string;
          payload: NonNullable<Json>;
          problem: string | null;
          source: string;
          timezone: string;
          type: string;
          updated_at: string;
        };
        Insert: {
          catch_up?: string;
          created_at?: string;
          cron: string;
          enabled?: boolean;
          evaluated_until?: string;
          name: string;
          payload?: NonNullable<Json>;
          problem?: string | null;
          source?: string;
          timezone?: string;
          type: string;
          updated_at?: string;
        };
        Update: {
          catch_up?: string;
          created_at?: string;
          cron?: string;
          enabled?: boolean;
          evaluated_until?: string;
          name?: string;
          payload?: NonNullable<Json>;
          problem?: string | null;
          source?: string;
          timezone?: string;
          type?: string;
          updated_at?: string;
        };
        Relationships: [];
      };
      job_settings: {
        Row: {
          meaning: string;
          name: string;
          value: NonNullable<Json>;
        };
        Insert: {
          meaning: string;
          name: string;
          value: NonNullable<Json>;
        };
        Update: {
          meaning?: string;
          name?: string;
          value?: NonNullable<Json>;
        };
        Relationships: [];
      };
      job_type_starts: {
        Row: {
          started_at: string;
          type: string;
        };
        Insert: {
          started_at: string;
          type: string;
        };
        Update: {
          started_at?: string;
          type?: string;
        };
        Relationships: [];
      };
      job_types: {
        Row: {
          awaits_completion: boolean;
          concurrency_limit: number | null;
          has_on_failure: boolean;
          lane: string;
          lane_override: string | null;
          max_retries: number;
          measured_lane: string | null;
          measured_lane_since: string | null;
          p95_active_ms: number | null;
          p95_duration_ms: number | null;
          p95_measured_at: string | null;
          paused: boolean;
          payload_schema: Json | null;
          priority: number;
          quotas: string[];
          synced_at: string;
          throttle_limit: number | null;
          throttle_seconds: number | null;
          timeout_seconds: number;
          title: string;
          type: string;
        };
        Insert: {
          awaits_completion?: boolean;
          concurrency_limit?: number | null;
          has_on_failure?: boolean;
          lane: string;
          lane_override?: string | null;
          max_retries: number;
          measured_lane?: string | null;
          measured_lane_since?: string | null;
          p95_active_ms?: number | null;
          p95_duration_ms?: number | null;
          p95_measured_at?: string | null;
          paused?: boolean;
          payload_schema?: Json | null;
          priority: number;
          quotas?: string[];
          synced_at?: string;
          throttle_limit?: number | null;
          throttle_seconds?: number | null;
          timeout_seconds: number;
          title: string;
          type: string;
        };
        Update: {
          awaits_completion?: boolean;
          concurrency_limit?: number | null;
          has_on_failure?: boolean;
          lane?: string;
          lane_override?: string | null;
          max_retries?: number;
          measured_lane?: string | null;
          measured_lane_since?: string | null;
          p95_active_ms?: number | null;
          p95_duration_ms?: number | null;
          p95_measured_at?: string | null;
          paused?: boolean;
          payload_schema?: Json | null;
          priority?: number;
          quotas?: string[];
          synced_at?: string;
          throttle_limit?: number | null;
          throttle_seconds?: number | null;
          timeout_seconds?: number;
          title?: string;
          type?: string;
        };
        Relationships: [];
      };
      operator_actions: {
        Row: {
          action: string;
          actor: string;
          arguments: NonNullable<Json>;
          at: string;
          email: string | null;
          id: string;
          result: Json | null;
        };
        Insert: {
          action: string;
          actor: string;
          arguments: NonNullable<Json>;
          at?: string;
          email?: string | null;
          id?: string;
          result?: Json | null;
        };
        Update: {
          action?: string;
          actor?: string;
          arguments?: NonNullable<Json>;
          at?: string;
          email?: string | null;
          id?: string;
          result?: Json | null;
        };
        Relationships: [];
      };
      pull_request_activity: {
        Row: {
          comments: number;
          computed_at: string;
          conversation_comments: number;
          first_review_at: string | null;
          last_activity_at: string;
          participants: number;
          pull_request_id: string;
          review_comments: number;
          review_rounds: number;
          reviews: number;
          time_to_first_review_seconds: number | null;
        };
        Insert: {
          comments?: never;
          computed_at: string;
          conversation_comments: number;
          first_review_at?: string | null;
          last_activity_at: string;
          participants: number;
          pull_request_id: string;
          review_comments: number;
          review_rounds: number;
          reviews: number;
          time_to_first_review_seconds?: number | null;
        };
        Update: {
          comments?: never;
          computed_at?: string;
          conversation_comments?: number;
          first_review_at?: string | null;
          last_activity_at?: string;
          participants?: number;
          pull_request_id?: string;
          review_comments?: number;
          review_rounds?: number;
          reviews?: number;
          time_to_first_review_seconds?: number | null;
        };
        Relationships: [
          {
            foreignKeyName: 'pull_request_activity_pull_request_id_fkey';
            columns: ['pull_request_id'];
            referencedRelation: 'pull_requests';
            referencedColumns: ['id'];
          },
        ];
      };
      pull_requests: {
        Row: {
          additions: number | null;
          author_id: string | null;
          base_branch: string;
          body: string | null;
          changed_files: number | null;
          closed_at: string | null;
          comments_synced_at: string | null;
          commits: number | null;
          created_at: string;
          deletions: number | null;
          details_synced_at: string | null;
          draft: boolean;
          github_id: number;
          head_branch: string;
          head_sha: string | null;
          html_url: string | null;
          id: string;
          last_synced_at: string;
          merged: boolean;
          merged_at: string | null;
          merged_by_id: string | null;
          number: number;
          repository_id: string;
          reviews_synced_at: string | null;
          state: string;
          title: string;
          updated_at: string;
        };
        Insert: {
          additions?: number | null;
          author_id?: string | null;
          base_branch: string;
          body?: string | null;
          changed_files?: number | null;
          closed_at?: string | null;
          comments_synced_at?: string | null;
          commits?: number | null;
          created_at: string;
          deletions?: number | null;
          details_synced_at?: string | null;
          draft?: boolean;
          github_id: number;
          head_branch: string;
          head_sha?: string | null;
          html_url?: string | null;
          id?: string;
          last_synced_at?: string;
          merged?: boolean;
          merged_at?: string | null;
          merged_by_id?: string | null;
          number: number;
          repository_id: string;
          reviews_synced_at?: string | null;
          state: string;
          title: string;
          updated_at: string;
        };
        Update: {
          additions?: number | null;
          author_id?: string | null;
          base_branch?: string;
          body?: string | null;
          changed_files?: number | null;
          closed_at?: string | null;
          comments_synced_at?: string | null;
          commits?: number | null;
          created_at?: string;
          deletions?: number | null;
          details_synced_at?: string | null;
          draft?: boolean;
          github_id?: number;
          head_branch?: string;
          head_sha?: string | null;
          html_url?: string | null;
          id?: string;
          last_synced_at?: string;
          merged?: boolean;
          merged_at?: string | null;
          merged_by_id?: string | null;
          number?: number;
          repository_id?: string;
          reviews_synced_at?: string | null;
          state?: string;
          title?: string;
          updated_at?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'pull_requests_author_id_fkey';
            columns: ['author_id'];
            referencedRelation: 'contributors';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'pull_requests_merged_by_id_fkey';
            columns: ['merged_by_id'];
            referencedRelation: 'contributors';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'pull_requests_repository_id_fkey';
            columns: ['repository_id'];
            referencedRelation: 'repositories';
            referencedColumns: ['id'];
          },
        ];
      };
      repositories: {
        Row: {
          archived: boolean;
          created_at: string | null;
          default_branch: string | null;
          description: string | null;
          details_synced_at: string | null;
          details_synced_since: string | null;
          discussions_cursor: string | null;
          discussions_synced_at: string | null;
          discussions_synced_until: string | null;
          fork: boolean;
          github_id: number;
          html_url: string | null;
          id: string;
          issues_synced_at: string | null;
          issues_synced_until: string | null;
          language: string | null;
          last_synced_at: string;
          name: string;
          owner: string;
          private: boolean;
          pull_request_changes_from: string | null;
          pull_request_changes_synced_at: string | null;
          pull_request_changes_until: string | null;
          pull_request_count: number | null;
          pull_requests_synced_at: string | null;
          pushed_at: string | null;
          size_class: string | null;
          size_classified_at: string | null;
          stargazers_count: number;
          unavailable_at: string | null;
          updated_at: string | null;
        };
        Insert: {
          archived?: boolean;
          created_at?: string | null;
          default_branch?: string | null;
          description?: string | null;
          details_synced_at?: string | null;
          details_synced_since?: string | null;
          discussions_cursor?: string | null;
          discussions_synced_at?: string | null;
          discussions_synced_until?: string | null;
          fork?: boolean;
          github_id: number;
          html_url?: string | null;
          id?: string;
          issues_synced_at?: string | null;
          issues_synced_until?: string | null;
          language?: string | null;
          last_synced_at?: string;
          name: string;
          owner: string;
          private?: boolean;
          pull_request_changes_from?: string | null;
          pull_request_changes_synced_at?: string | null;
          pull_request_changes_until?: string | null;
          pull_request_count?: number | null;
          pull_requests_synced_at?: string | null;
          pushed_at?: string | null;
          size_class?: never;
          size_classified_at?: string | null;
          stargazers_count?: number;
          unavailable_at?: string | null;
          updated_at?: string | null;
        };
        Update: {
          archived?: boolean;
          created_at?: string | null;
          default_branch?: string | null;
          description?: string | null;
          details_synced_at?: string | null;
          details_synced_since?: string | null;
          discussions_cursor?: string | null;
          discussions_synced_at?: string | null;
          discussions_synced_until?: string | null;
          fork?: boolean;
          github_id?: number;
          html_url?: string | null;
          id?: string;
          issues_synced_at?: string | null;
          issues_synced_until?: string | null;
          language?: string | null;
          last_synced_at?: string;
          name?: string;
          owner?: string;
          private?: boolean;
          pull_request_changes_from?: string | null;
          pull_request_changes_synced_at?: string | null;
          pull_request_changes_until?: string | null;
          pull_request_count?: number | null;
          pull_requests_synced_at?: string | null;
          pushed_at?: string | null;
          size_class?: never;
          size_classified_at?: string | null;
          stargazers_count?: number;
          unavailable_at?: string | null;
          updated_at?: string | null;
        };
        Relationships: [];
      };
      repository_changes: {
        Row: {
          changed_at: string;
          id: string;
          repository_id: string;
        };
        Insert: {
          changed_at?: string;
          id?: string;
          repository_id: string;
        };
        Update: {
          changed_at?: string;
          id?: string;
          repository_id?: string;
        };
        Relationships: [];
      };
      repository_daily_metrics: {
        Row: {
          closed: number;
          comments: number;
          contributor_ids: string[];
          day: string;
          first_review_seconds: number[];
          merge_seconds: number[];
          merged: number;
          merged_with_review: number;
          opened: number;
          repository_id: string;
          reviewer_ids: string[];
          reviews: number;
        };
        Insert: {
          closed: number;
          comments: number;
          contributor_ids: string[];
          day: string;
          first_review_seconds: number[];
          merge_seconds: number[];
          merged: number;
          merged_with_review: number;
          opened: number;
          repository_id: string;
          reviewer_ids: string[];
          reviews: number;
        };
        Update: {
          closed?: number;
          comments?: number;
          contributor_ids?: string[];
          day?: string;
          first_review_seconds?: number[];
          merge_seconds?: number[];
          merged?: number;
          merged_with_review?: number;
          opened?: number;
          repository_id?: string;
          reviewer_ids?: string[];
          reviews?: number;
        };
        Relationships: [
          {
            foreignKeyName: 'repository_daily_metrics_repository_id_fkey';
            columns: ['repository_id'];
            referencedRelation: 'repositories';
            referencedColumns: ['id'];
          },
        ];
      };
      repository_metrics: {
        Row: {
          computed_at: string | null;
          from_day: string | null;
          open: number;
          pull_requests: number;
          repository_id: string;
        };
        Insert: {
          computed_at?: string | null;
          from_day?: string | null;
          open?: number;
          pull_requests?: number;
          repository_id: string;
        };
        Update: {
          computed_at?: string | null;
          from_day?: string | null;
          open?: number;
          pull_requests?: number;
          repository_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'repository_metrics_repository_id_fkey';
            columns: ['repository_id'];
            referencedRelation: 'repositories';
            referencedColumns: ['id'];
          },
        ];
      };
      reviews: {
        Row: {
          body: string | null;
          commit_sha: string | null;
          github_id: number;
          html_url: string | null;
          id: string;
          last_synced_at: string;
          pull_request_id: string;
          reviewer_id: string | null;
          state: string;
          submitted_at: string | null;
        };
        Insert: {
          body?: string | null;
          commit_sha?: string | null;
          github_id: number;
          html_url?: string | null;
          id?: string;
          last_synced_at?: string;
          pull_request_id: string;
          reviewer_id?: string | null;
          state: string;
          submitted_at?: string | null;
        };
        Update: {
          body?: string | null;
          commit_sha?: string | null;
          github_id?: number;
          html_url?: string | null;
          id?: string;
          last_synced_at?: string;
          pull_request_id?: string;
          reviewer_id?: string | null;
          state?: string;
          submitted_at?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: 'reviews_pull_request_id_fkey';
            columns: ['pull_request_id'];
            referencedRelation: 'pull_requests';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'reviews_reviewer_id_fkey';
            columns: ['reviewer_id'];
            referencedRelation: 'contributors';
            referencedColumns: ['id'];
          },
        ];
      };
      similarity_cache: {
        Row: {
          item_id: string;
          item_type: string;
          model: string;
          repository_id: string;
          similar_embedded_at: string;
          similar_id: string;
          similar_type: string;
          similarity: number;
        };
        Insert: {
          item_id: string;
          item_type: string;
          model: string;
          repository_id: string;
          similar_embedded_at: string;
          similar_id: string;
          similar_type: string;
          similarity: number;
        };
        Update: {
          item_id?: string;
          item_type?: string;
          model?: string;
          repository_id?: string;
          similar_embedded_at?: string;
          similar_id?: string;
          similar_type?: string;
          similarity?: number;
        };
        Relationships: [
          {
            foreignKeyName: 'similarity_cache_item_fkey';
            columns: ['item_type', 'item_id', 'model'];
            referencedRelation: 'embeddings';
            referencedColumns: ['item_type', 'item_id', 'model'];
          },
          {
            foreignKeyName: 'similarity_cache_repository_id_fkey';
            columns: ['repository_id'];
            referencedRelation: 'repositories';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'similarity_cache_similar_fkey';
            columns: ['similar_type', 'similar_id', 'model'];
            referencedRelation: 'embeddings';
            referencedColumns: ['item_type', 'item_id', 'model'];
          },
        ];
      };
      similarity_lists: {
        Row: {
          embedded_at: string;
          item_id: string;
          item_type: string;
          listed: number;
          max_per_item: number;
          model: string;
        };
        Insert: {
          embedded_at: string;
          item_id: string;
          item_type: string;
          listed: number;
          max_per_item: number;
          model: string;
        };
        Update: {
          embedded_at?: string;
          item_id?: string;
          item_type?: string;
          listed?: number;
          max_per_item?: number;
          model?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'similarity_lists_item_fkey';
            columns: ['item_type', 'item_id', 'model'];
            referencedRelation: 'embeddings';
            referencedColumns: ['item_type', 'item_id', 'model'];
          },
        ];
      };
      tracked_repositories: {
        Row: {
          created_at: string;
          enabled: boolean;
          priority: string;
          repository_id: string;
          sync_discussions: boolean;
        };
        Insert: {
          created_at?: string;
          enabled?: boolean;
          priority?: string;
          repository_id: string;
          sync_discussions?: boolean;
        };
        Update: {
          created_at?: string;
          enabled?: boolean;
          priority?: string;
          repository_id?: string;
          sync_discussions?: boolean;
        };
        Relationships: [
          {
            foreignKeyName: 'tracked_repositories_repository_id_fkey';
            columns: ['repository_id'];
            referencedRelation: 'repositories';
            referencedColumns: ['id'];
          },
        ];
      };
      user_credentials: {
        Row: {
          ciphertext: string;
          created_at: string;
          key_id: string;
          provider: string;
          updated_at: string;
          user_id: string;
        };
        Insert: {
          ciphertext: string;
          created_at?: string;
          key_id: string;
          provider: string;
          updated_at?: string;
          user_id: string;
        };
        Update: {
          ciphertext?: string;
          created_at?: string;
          key_id?: string;
          provider?: string;
          updated_at?: string;
          user_id?: string;
        };
        Relationships: [];
      };
      workspace_daily_metrics: {
        Row: {
          active_contributors: number;
          average_first_review_seconds: number | null;
          average_merge_seconds: number | null;
          closed: number;
          comments: number;
          computed_at: string;
          day: string;
          median_first_review_seconds: number | null;
          median_merge_seconds: number | null;
          merged: number;
          merged_with_review: number;
          open: number;
          opened: number;
          pull_requests: number;
          review_coverage: number | null;
          reviewers: number;
          reviews: number;
          workspace_id: string;
        };
        Insert: {
          active_contributors: number;
          average_first_review_seconds?: number | null;
          average_merge_seconds?: number | null;
          closed: number;
          comments: number;
          computed_at: string;
          day: string;
          median_first_review_seconds?: number | null;
          median_merge_seconds?: number | null;
          merged: number;
          merged_with_review: number;
          open: number;
          opened: number;
          pull_requests: number;
          review_coverage?: number | null;
          reviewers: number;
          reviews: number;
          workspace_id: string;
        };
        Update: {
          active_contributors?: number;
          average_first_review_seconds?: number | null;
          average_merge_seconds?: number | null;
          closed?: number;
          comments?: number;
          computed_at?: string;
          day?: string;
          median_first_review_seconds?: number | null;
          median_merge_seconds?: number | null;
          merged?: number;
          merged_with_review?: number;
          open?: number;
          opened?: number;
          pull_requests?: number;
          review_coverage?: number | null;
          reviewers?: number;
          reviews?: number;
          workspace_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'workspace_daily_metrics_workspace_id_fkey';
            columns: ['workspace_id'];
            referencedRelation: 'workspaces';
            referencedColumns: ['id'];
          },
        ];
      };
      workspace_metrics: {
        Row: {
          active_contributors: number;
          average_first_review_seconds: number | null;
          average_merge_seconds: number | null;
          closed: number;
          comments: number;
          computed_at: string;
          first_day: string;
          last_day: string;
          median_first_review_seconds: number | null;
          median_merge_seconds: number | null;
          merged: number;
          merged_with_review: number;
          open: number;
          opened: number;
          previous: NonNullable<Json>;
          pull_requests: number;
          review_coverage: number | null;
          reviewers: number;
          reviews: number;
          trend: NonNullable<Json>;
          window_days: number;
          workspace_id: string;
        };
        Insert: {
          active_contributors: number;
          average_first_review_seconds?: number | null;
          average_merge_seconds?: number | null;
          closed: number;
          comments: number;
          computed_at: string;
          first_day: string;
          last_day: string;
          median_first_review_seconds?: number | null;
          median_merge_seconds?: number | null;
          merged: number;
          merged_with_review: number;
          open: number;
          opened: number;
          previous: NonNullable<Json>;
          pull_requests: number;
          review_coverage?: number | null;
          reviewers: number;
          reviews: number;
          trend: NonNullable<Json>;
          window_days: number;
          workspace_id: string;
        };
        Update: {
          active_contributors?: number;
          average_first_review_seconds?: number | null;
          average_merge_seconds?: number | null;
          closed?: number;
          comments?: number;
          computed_at?: string;
          first_day?: string;
          last_day?: string;
          median_first_review_seconds?: number | null;
          median_merge_seconds?: number | null;
          merged?: number;
          merged_with_review?: number;
          open?: number;
          opened?: number;
          previous?: NonNullable<Json>;
          pull_requests?: number;
          review_coverage?: number | null;
          reviewers?: number;
          reviews?: number;
          trend?: NonNullable<Json>;
          window_days?: number;
          workspace_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'workspace_metrics_workspace_id_fkey';
            columns: ['workspace_id'];
            referencedRelation: 'workspaces';
            referencedColumns: ['id'];
          },
        ];
      };
      workspace_repositories: {
        Row: {
          added_at: string;
          repository_id: string;
          workspace_id: string;
        };
        Insert: {
          added_at?: string;
          repository_id: string;
          workspace_id: string;
        };
        Update: {
          added_at?: string;
          repository_id?: string;
          workspace_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'workspace_repositories_repository_id_fkey';
            columns: ['repository_id'];
            referencedRelation: 'repositories';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'workspace_repositories_workspace_id_fkey';
            columns: ['workspace_id'];
            referencedRelation: 'workspaces';
            referencedColumns: ['id'];
          },
        ];
      };
      workspaces: {
        Row: {
          active: boolean;
          created_at: string;
          id: string;
          name: string;
          owner_id: string | null;
          slug: string;
        };
        Insert: {
          active?: boolean;
          created_at?: string;
          id?: string;
          name: string;
          owner_id?: string | null;
          slug: string;
        };
        Update: {
          active?: boolean;
          created_at?: string;
          id?: string;
          name?: string;
          owner_id?: string | null;
          slug?: string;
        };
        Relationships: [];
      };
    };
    Views: {
      dead_letter_jobs: {
        Row: {
          attempts: number | null;
          created_at: string | null;
          error: string | null;
          failed_at: string | null;
          failure_reason: string | null;
          id: string | null;
          lane: string | null;
          max_retries: number | null;
          payload: Json | null;
          repository_id: string | null;
          retry_count: number | null;
          type: string | null;
        };
        Insert: {
          attempts?: never;
          created_at?: string | null;
          error?: string | null;
          failed_at?: string | null;
          failure_reason?: string | null;
          id?: string | null;
          lane?: string | null;
          max_retries?: number | null;
          payload?: Json | null;
          repository_id?: string | null;
          retry_count?: number | null;
          type?: string | null;
        };
        Update: {
          attempts?: never;
          created_at?: string | null;
          error?: string | null;
          failed_at?: string | null;
          failure_reason?: string | null;
          id?: string | null;
          lane?: string | null;
          max_retries?: number | null;
          payload?: Json | null;
          repository_id?: string | null;
          retry_count?: number | null;
          type?: string | null;
        };
        Relationships: [];
      };
      job_statistics: {
        Row: {
          avg_duration_ms: number | null;
          avg_wait_ms: number | null;
          cancelled: number | null;
          completed: number | null;
          failed: number | null;
          max_duration_ms: number | null;
          max_wait_ms: number | null;
          min_duration_ms: number | null;
          min_wait_ms: number | null;
          p50_duration_ms: number | null;
          p50_wait_ms: number | null;
          p95_duration_ms: number | null;
          p95_wait_ms: number | null;
          processing: number | null;
          queued: number | null;
          success_rate: number | null;
          type: string | null;
        };
        Relationships: [];
      };
      job_statistics_hourly: {
        Row: {
          avg_duration_ms: number | null;
          completed: number | null;
          created: number | null;
          failed: number | null;
          hour: string | null;
          p95_duration_ms: number | null;
          type: string | null;
        };
        Relationships: [];
      };
      queue_depth: {
        Row: {
          due: number | null;
          lane: string | null;
          next_run_at: string | null;
          oldest_due_at: string | null;
          queued: number | null;
          type: string | null;
        };
        Relationships: [];
      };
      stuck_jobs: {
        Row: {
          id: string | null;
          lane: string | null;
          lease_until: string | null;
          reason: string | null;
          started_at: string | null;
          status: string | null;
          type: string | null;
          worker: string | null;
        };
        Relationships: [];
      };
    };
    Functions: {
      advance_job_schedule: {
        Args: { name: string; seen: string; ticks: Json; until: string };
        Returns: number;
      };
      aggregate_workspace_metrics: {
        Args: { as_of?: string; full_recompute?: boolean; workspace_id: string };
        Returns: Json;
      };
      begin_analysis: {
        Args: { analysis_id: string; job_id: string; repository_id: string; user_id: string };
        Returns: Json;
      };
      begin_background_job: {
        Args: { job: Json; lease_seconds: number; worker: string };
        Returns: {
          id: string;
          lane: string;
          lease_token: string;
          result: Json;
          run: boolean;
          status: string;
        }[];
      };
      call_under_lease: {
        Args: { args: Json; job_id: string; lease_token: string; name: string };
        Returns: Json;
      };
      cancel_background_job: { Args: { job_id: string; reason?: string }; Returns: boolean };
      cancel_background_jobs_of: {
        Args: { event_id?: string; job_id?: string; reason?: string; run_id?: string };
        Returns: {
          id: string;
          status: string;
          type: string;
        }[];
      };
      check_background_jobs: {
        Args: Record<PropertyKey, never>;
        Returns: {
          job_id: string;
          problem: string;
        }[];
      };
      claim_background_job: {
        Args: { job_id: string; lease_seconds: number; worker: string };
        Returns: {
          expires_at: string;
          id: string;
          lease_token: string;
          max_retries: number;
          payload: Json;
          retry_count: number;
          run_at: string;
          steps: Json;
          timeout_seconds: number;
          type: string;
        }[];
      };
      claim_background_jobs: {
        Args: {
          fit_seconds?: number;
          lane: string;
          lease_seconds: number;
          max_jobs: number;
          types?: Json;
          worker: string;
        };
        Returns: {
          expires_at: string;
          id: string;
          lease_token: string;
          max_retries: number;
          payload: Json;
          retry_count: number;
          run_at: string;
          steps: Json;
          timeout_seconds: number;
          type: string;
        }[];
      };
      claim_job_batch: {
        Args: {
          fit_seconds?: number;
          lane: string;
          lease_seconds: number;
          max_jobs: number;
          types?: Json;
          worker: string;
        };
        Returns: Json;
      };
      complete_background_jobs: {
        Args: { results: Json };
        Returns: {
          accepted: boolean;
          job_id: string;
        }[];
      };
      complete_job_batch: {
        Args: { job_ids: string[]; lease_token: string; results?: Json };
        Returns: string[];
      };
      delete_old_workspace_metrics: { Args: { keep_days: number; max_rows: number }; Returns: number };
      delete_user_credential: { Args: { provider: string; user_id: string }; Returns: boolean };
      disable_callback_endpoint: { Args: { reason?: string; url: string }; Returns: boolean };
      discard_dead_letter_jobs: {
        Args: { before?: string; max_jobs?: number; type?: string };
        Returns: number;
      };
      enable_callback_endpoint: { Args: { url: string }; Returns: boolean };
      enqueue_background_job: {
        Args: {
          hand_over?: boolean;
          idempotency_key?: string;
          inngest_event_id?: string;
          inngest_run_id?: string;
          lane?: string;
          payload?: Json;
          type: string;
        };
        Returns: string;
      };
      enqueue_background_jobs: {
        Args: { jobs: Json };
        Returns: {
          created: boolean;
          id: string;
          status: string;
        }[];
      };
      explain_background_job: { Args: { job_id: string }; Returns: string };
      fail_background_job: {
        Args: {
          error: Json;
          job_id: string;
          lease_token: string;
          retry_after_seconds?: number;
          retryable: boolean;
        };
        Returns: string;
      };
      find_active_workspaces: {
        Args: { after?: string; max_workspaces: number; spread_seconds: number };
        Returns: Json;
      };
      find_discussion_repositories: { Args: { period_minutes: number }; Returns: Json };
      find_due_repositories: { Args: { every_minutes: Json; max_repositories: number }; Returns: Json };
      find_unclassified_repositories: {
        Args: { as_of?: string; max_repositories: number; stale_after_seconds: number };
        Returns: Json;
      };
      finish_analysis: { Args: { analysis_id: string; job_id: string; result: Json }; Returns: boolean };
      get_background_job: {
        Args: { job_id: string };
        Returns: {
          duration_ms: number;
          error: string;
          id: string;
          lane: string;
          max_retries: number;
          progress: number;
          progress_message: string;
          result: Json;
          retry_count: number;
          run_at: string;
          status: string;
          type: string;
        }[];
      };
      get_capture_state: { Args: { pr_number?: number; repository: Json }; Returns: Json };
      get_details_state: { Args: { pr_numbers?: Json; repository: Json }; Returns: Json };
      get_discussions_state: { Args: { repository: Json }; Returns: Json };
      get_issues_state: { Args: { issue_number?: number; repository: Json }; Returns: Json };
      get_job_payload: { Args: { job_id: string }; Returns: Json };
      get_job_schedules: {
        Args: Record<PropertyKey, never>;
        Returns: {
          catch_up: string;
          cron: string;
          enabled: boolean;
          evaluated_until: string;
          name: string;
          payload: Json;
          problem: string;
          source: string;
          timezone: string;
          type: string;
        }[];
      };
      get_job_statistics_summary: {
        Args: Record<PropertyKey, never>;
        Returns: {
          metric: string;
          value: string;
        }[];
      };
      get_parent_jobs: {
        Args: { job_id: string };
        Returns: {
          error: string;
          id: string;
          result: Json;
          status: string;
          type: string;
        }[];
      };
      get_pull_requests_state: { Args: { repository: Json }; Returns: Json };
      get_pull_requests_without_details: {
        Args: { max_rows: number; repository: Json; since: string };
        Returns: Json;
      };
      get_repository_size: { Args: { repository: Json }; Returns: Json };
      get_schema_version: { Args: { up_to: string }; Returns: string };
      get_signed_in_user: { Args: Record<PropertyKey, never>; Returns: string };
      get_user_credential: { Args: { provider: string; user_id: string }; Returns: string };
      hand_off_background_job: { Args: { job_id: string; lease_token: string }; Returns: string };
      heartbeat_background_jobs: {
        Args: { lease_seconds: number; leases: Json };
        Returns: {
          job_id: string;
          state: string;
        }[];
      };
      list_analysis_commits: { Args: { analysis_id: string }; Returns: Json };
      list_due_embeddings: {
        Args: { items: Json; max_bytes: number; max_items: number; model: string; repository_id: string };
        Returns: Database['public']['CompositeTypes']['due_embedding'][];
        SetofOptions: {
          from: '*';
          to: 'due_embedding';
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      list_job_lanes: {
        Args: Record<PropertyKey, never>;
        Returns: {
          lane: string;
          type: string;
        }[];
      };
      list_job_schedules: {
        Args: { with_definitions: boolean };
        Returns: {
          catch_up: string;
          checked_at: string;
          cron: string;
          evaluated_until: string;
          name: string;
          payload: Json;
          problem: string;
          source: string;
          timezone: string;
          type: string;
        }[];
      };
      match_similar_items: {
        Args: {
          item_id: string;
          item_type: string;
          max_items?: number;
          min_similarity_percent?: number;
          model?: string;
          same_repository?: boolean;
        };
        Returns: Database['public']['CompositeTypes']['similar_item'][];
        SetofOptions: {
          from: '*';
          to: 'similar_item';
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      note_details_synced: { Args: { progress: Json }; Returns: undefined };
      offer_worker: {
        Args: { lane: string; lease_seconds: number; offer: string; worker: string };
        Returns: Json;
      };
      operator_audit: {
        Args: { before?: string; page_size?: number };
        Returns: {
          action: string;
          actor: string;
          arguments: Json;
          at: string;
          email: string;
          id: string;
          result: Json;
        }[];
      };
      operator_cancel_job: { Args: { job_id: string; reason?: string }; Returns: boolean };
      operator_discard: { Args: { before?: string; max_jobs?: number; type?: string }; Returns: number };
      operator_enqueue: { Args: { job: Json }; Returns: Json };
      operator_job: { Args: { job_id: string }; Returns: Json };
      operator_job_types: {
        Args: Record<PropertyKey, never>;
        Returns: {
          concurrency_limit: number;
          effective_lane: string;
          lane: string;
          lane_override: string;
          max_retries: number;
          measured_lane: string;
          p95_duration_ms: number;
          paused: boolean;
          payload_schema: Json;
          priority: number;
          quotas: string[];
          throttle_limit: number;
          throttle_seconds: number;
          timeout_seconds: number;
          title: string;
          type: string;
        }[];
      };
      operator_jobs: { Args: { after?: Json; filter?: Json; page_size?: number }; Returns: Json };
      operator_overview: { Args: Record<PropertyKey, never>; Returns: Json };
      operator_pause_schedule: { Args: { name: string }; Returns: boolean };
      operator_pause_type: { Args: { type: string }; Returns: undefined };
      operator_quotas: {
        Args: Record<PropertyKey, never>;
        Returns: {
          allowance: number;
          blocked_until: string;
          exhausted: boolean;
          quota: string;
          remaining: number;
          reported_at: string;
          resets_at: string;
          token: string;
          waiting: number;
        }[];
      };
      operator_redrive: { Args: { max_jobs?: number; since?: string; type?: string }; Returns: number };
      operator_remove_schedule: { Args: { name: string }; Returns: boolean };
      operator_resume_schedule: { Args: { name: string }; Returns: boolean };
      operator_resume_type: { Args: { type: string }; Returns: undefined };
      operator_retry_job: { Args: { force?: boolean; job_id: string }; Returns: boolean };
      operator_schedules: {
        Args: Record<PropertyKey, never>;
        Returns: {
          catch_up: string;
          cron: string;
          enabled: boolean;
          evaluated_until: string;
          name: string;
          payload: Json;
          problem: string;
          source: string;
          timezone: string;
          type: string;
        }[];
      };
      operator_set_lane: { Args: { lane: string; type: string }; Returns: undefined };
      operator_set_schedule: {
        Args: {
          catch_up?: string;
          cron?: string;
          name: string;
          payload?: Json;
          timezone?: string;
          type?: string;
        };
        Returns: boolean;
      };
      operator_throughput: {
        Args: { minutes?: number };
        Returns: {
          cancelled: number;
          completed: number;
          failed: number;
          starts_at: string;
        }[];
      };
      pause_job_schedule: { Args: { name: string }; Returns: boolean };
      pause_job_type: { Args: { type: string }; Returns: undefined };
      prune_background_jobs: { Args: { max_rows: number; older_than: string }; Returns: number };
      recalculate_similarities: {
        Args: { max_per_item: number; model: string; repository_id: string };
        Returns: number;
      };
      record_ai_usage: {
        Args: {
          cost_micro_usd: number;
          input_tokens: number;
          model: string;
          output_tokens: number;
          provider: string;
          purpose: string;
          requests: number;
          user_id?: string;
        };
        Returns: undefined;
      };
      record_failed_delivery: {
        Args: { error: Json; job: Json };
        Returns: {
          id: string;
          lane: string;
          status: string;
        }[];
      };
      record_repository_sizes: { Args: { fetched_at: string; sizes: Json }; Returns: Json };
      redrive_dead_letter_jobs: {
        Args: { max_jobs?: number; since?: string; type?: string };
        Returns: number;
      };
      refresh_workspace_repositories: {
        Args: { after?: string; full_recompute: boolean; max_repositories: number; workspace_id: string };
        Returns: Json;
      };
      register_callback_endpoint: { Args: { allow_private?: boolean; url: string }; Returns: string };
      remove_job_schedule: { Args: { name: string }; Returns: boolean };
      remove_worker: { Args: { worker: string }; Returns: undefined };
      report_background_job_progress: {
        Args: { job_id: string; lease_token: string; message: string; percent: number };
        Returns: boolean;
      };
      report_job_quotas: { Args: { reports: Json }; Returns: undefined };
      report_job_schedule_problem: { Args: { name: string; problem: string }; Returns: boolean };
      report_worker: { Args: { idle: boolean; lanes: Json; worker: string }; Returns: undefined };
      reseal_user_credential: {
        Args: {
          ciphertext: string;
          key_id: string;
          old_ciphertext: string;
          provider: string;
          user_id: string;
        };
        Returns: boolean;
      };
      resume_job_schedule: { Args: { name: string }; Returns: boolean };
      resume_job_type: { Args: { type: string }; Returns: undefined };
      retry_failed_job: { Args: { force?: boolean; job_id: string }; Returns: boolean };
      rotate_callback_secret: { Args: { url: string }; Returns: string };
      save_background_job_step: {
        Args: { job_id: string; lease_token: string; name: string; output: Json };
        Returns: boolean;
      };
      schedule_wake: {
        Args: { every_seconds?: number; process_job_url: string; secret_name?: string };
        Returns: number;
      };
      set_job_lane: { Args: { lane: string; type: string }; Returns: undefined };
      set_job_schedule: {
        Args: {
          catch_up?: string;
          cron?: string;
          name: string;
          payload?: Json;
          timezone?: string;
          type?: string;
        };
        Returns: boolean;
      };
      sign_callback: {
        Args: { job_id: string };
        Returns: {
          allow_private: boolean;
          body: string;
          enabled: boolean;
          endpoint: string;
          headers: Json;
          url: string;
        }[];
      };
      snooze_background_job: {
        Args: { job_id: string; lease_token: string; reason: string; until: string };
        Returns: string;
      };
      start_analysis: {
        Args: { repo_id: string };
        Returns: {
          created: boolean;
          id: string;
          status: string;
          user_id: string;
        }[];
      };
      store_analysis_commits: { Args: { analysis_id: string; commits: Json }; Returns: number };
      store_analysis_files: { Args: { analysis_id: string; details: Json }; Returns: number };
      store_embeddings: { Args: { rows: Json }; Returns: number };
      store_user_credential: {
        Args: { ciphertext: string; key_id: string; provider: string; user_id: string };
        Returns: undefined;
      };
      sweep_background_jobs: {
        Args: Record<PropertyKey, never>;
        Returns: {
          claimable: number;
          expired: number;
          lane: string;
          rescued: number;
        }[];
      };
      sync_job_schedules: { Args: { definitions: Json }; Returns: undefined };
      sync_job_types: { Args: { definitions: Json }; Returns: undefined };
      sync_payload_schemas: { Args: { schemas: Json }; Returns: undefined };
      take_wakes: { Args: { leaving?: string }; Returns: number };
      track_repository: { Args: { repository_id: string }; Returns: boolean };
      unschedule_wake: { Args: Record<PropertyKey, never>; Returns: boolean };
      update_pull_request_activity: { Args: { pr_number: number; repository: Json }; Returns: Json };
      update_workspace_repository: { Args: { repository: Json; workspace_id: string }; Returns: Json };
      upsert_capture_page: { Args: { page: Json }; Returns: Json };
      upsert_discussions_page: { Args: { page: Json }; Returns: Json };
      upsert_issues_page: { Args: { page: Json; progress: Json }; Returns: Json };
      upsert_pull_requests_page: { Args: { changes: Json; page: Json }; Returns: Json };
      use_pgvector: { Args: Record<PropertyKey, never>; Returns: string };
      uuid_v7: { Args: Record<PropertyKey, never>; Returns: string };
      wake_process_job: { Args: { process_job_url: string; secret_name?: string }; Returns: number };
      withdraw_worker_offer: { Args: { offer: string }; Returns: Json };
    };
    Enums: {
      [_ in never]: never;
    };
    CompositeTypes: {
      due_embedding: {
        item_type: string | null;
        item_id: string | null;
        repository_id: string | null;
        content: string | null;
        content_hash: string | null;
      };
      similar_item: {
        item_type: string | null;
        item_id: string | null;
        repository_id: string | null;
        title: string | null;
        similarity: number | null;
      };
    };
  };
};

type DatabaseWithoutInternals = Omit<Database, '__InternalSupabase'>;

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, 'public'>];

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    keyof (DefaultSchema['Tables'] & DefaultSchema['Views']) | { schema: keyof DatabaseWithoutInternals },
  TableName extends (DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables'] &
        DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Views'])
    : never) = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables'] &
      DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Views'])[TableName] extends {
      Row: infer R;
    }
    ? R
    : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema['Tables'] & DefaultSchema['Views'])
    ? (DefaultSchema['Tables'] & DefaultSchema['Views'])[DefaultSchemaTableNameOrOptions] extends {
        Row: infer R;
      }
      ? R
      : never
    : never;

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    keyof DefaultSchema['Tables'] | { schema: keyof DatabaseWithoutInternals },
  TableName extends (DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables']
    : never) = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables'][TableName] extends {
      Insert: infer I;
    }
    ? I
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema['Tables']
    ? DefaultSchema['Tables'][DefaultSchemaTableNameOrOptions] extends {
        Insert: infer I;
      }
      ? I
      : never
    : never;

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    keyof DefaultSchema['Tables'] | { schema: keyof DatabaseWithoutInternals },
  TableName extends (DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables']
    : never) = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables'][TableName] extends {
      Update: infer U;
    }
    ? U
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema['Tables']
    ? DefaultSchema['Tables'][DefaultSchemaTableNameOrOptions] extends {
        Update: infer U;
      }
      ? U
      : never
    : never;

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    keyof DefaultSchema['Enums'] | { schema: keyof DatabaseWithoutInternals },
  EnumName extends (DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions['schema']]['Enums']
    : never) = never,
> = DefaultSchemaEnumNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions['schema']]['Enums'][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema['Enums']
    ? DefaultSchema['Enums'][DefaultSchemaEnumNameOrOptions]
    : never;

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    keyof DefaultSchema['CompositeTypes'] | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends (PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions['schema']]['CompositeTypes']
    : never) = never,
> = PublicCompositeTypeNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions['schema']]['CompositeTypes'][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema['CompositeTypes']
    ? DefaultSchema['CompositeTypes'][PublicCompositeTypeNameOrOptions]
    : never;

export const Constants = {
  public: {
    Enums: {},
  },
} as const;
