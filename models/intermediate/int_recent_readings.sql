with

-- How many readings of the last seven days there are, and what they know.
final as (

    select
        increments.account_id,
        sum(case when increments.is_gap then 1 else 0 end) as gaps_7d,
        count(*) as readings_7d,
        count(increments.new_impressions) as readings_with_impressions,
        count(increments.new_engagements) as readings_with_engagements
    from {{ ref('post_increments') }} as increments
    inner join {{ ref('int_account_as_of') }} as as_of on increments.account_id = as_of.account_id
    where
        increments.source = 'api'
        and increments.collected_at > as_of.data_as_of - interval '7' day
    group by increments.account_id

)

select * from final
