with

members as (

    select * from {{ ref('stg_control__account_members') }}

),

final as (

    select
        members.account_id,
        members.user_key,
        members.role
    from members
    inner join {{ ref('int_accounts_live') }} as accounts on members.account_id = accounts.account_id

)

select * from final
