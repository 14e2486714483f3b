export async function getServerSideProps () {
  return { props: { slot: process.env.NODE_APP_INSTANCE || '0' } }
}

export default function Home ({ slot }) {
  return <p>next in slot {slot}</p>
}
