/** Which accounts count: all of them, or a chosen few. */

import type { Account } from "../api";
import { plural } from "../format";
import { usePage } from "../page";
import { accountName } from "../platforms";
import { ChevronDown, PlatformIcon } from "./Icons";
import { Popover } from "./Popover";

function summary(accounts: readonly Account[], chosen: readonly string[]): string {
  if (chosen.length === 0) return "All accounts";
  const only = accounts.find(({ account_id: id }) => id === chosen[0]);
  return chosen.length === 1 && only ? accountName(only) : plural(chosen.length, "account");
}

export function AccountFilter({ accounts }: { accounts: readonly Account[] }) {
  const { state, go } = usePage();
  const all = accounts.map(({ account_id: id }) => id);
  const isChosen = (id: string) => state.accounts.length === 0 || state.accounts.includes(id);
  const toggle = (id: string) => {
    const chosen = all.filter((other) => (other === id ? !isChosen(id) : isChosen(other)));
    go({ accounts: chosen.length === all.length ? [] : chosen });
  };
  const text = summary(accounts, state.accounts);
  return (
    <Popover
      label={`Accounts: ${text}`}
      button={<><span class="account-summary">{text}</span> <ChevronDown /></>}
    >
      {() => (
        <fieldset class="choices">
          <legend class="popover-title">Accounts</legend>
          {accounts.map((account) => {
            const id = account.account_id;
            const isLast = state.accounts.length === 1 && isChosen(id);
            return (
              <div key={id} class="choice">
                <label class="choice-label">
                  <input
                    type="checkbox"
                    checked={isChosen(id)}
                    disabled={isLast || accounts.length === 1}
                    onChange={() => toggle(id)}
                  />
                  <PlatformIcon platform={account.platform} />
                  <span class="choice-name">{accountName(account)}</span>
                </label>
                <button type="button" class="choice-only" onClick={() => go({ accounts: [id] })}>
                  only<span class="sr-only"> {accountName(account)}</span>
                </button>
              </div>
            );
          })}
          <button
            type="button"
            class="button button--block"
            disabled={state.accounts.length === 0}
            onClick={() => go({ accounts: [] })}
          >
            All accounts
          </button>
        </fieldset>
      )}
    </Popover>
  );
}
