with

connections as (

    select
        account_id,
        state,
        expires_at,
        max(cooldown_until) over (partition by account_id) as cooldown_until,
        row_number() over (
            partition by account_id
            order by
                case state when 'active' then 1 when 'expired' then 2 when 'revoked' then 3 else 4 end,
                expires_at desc nulls first
        ) as preference
    from {{ ref('stg_control__connections') }}

),

imports as (

    select
        account_id,
        max(imported_at) as last_imported_at,
        sum(rows_rejected) as rejected_rows
    from {{ ref('stg_control__imports') }}
    group by account_id

),

final as (

    select
        accounts.account_id,
        accounts.platform,
        accounts.connected_at,
        as_of.as_of,
        as_of.data_as_of,
        coalesce(connections.state, 'none') as connection_state,
        connections.expires_at as token_expires_at,
        connections.cooldown_until,
        imports.last_imported_at,
        cast(coalesce(imports.rejected_rows, 0) as integer) as rejected_rows
    from {{ ref('int_accounts_live') }} as accounts
    inner join {{ ref('int_account_as_of') }} as as_of on accounts.account_id = as_of.account_id
    left join connections
        on
            accounts.account_id = connections.account_id
            and connections.preference = 1
    left join imports on accounts.account_id = imports.account_id

)

select * from final
