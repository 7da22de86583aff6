with

final as (

    select distinct
        members.account_id,
        users.timezone
    from {{ ref('stg_control__account_members') }} as members
    inner join {{ ref('stg_control__users') }} as users on members.user_key = users.user_key
    inner join {{ ref('int_accounts_live') }} as accounts on members.account_id = accounts.account_id

)

select * from final
